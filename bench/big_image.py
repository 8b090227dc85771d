# SPDX-License-Identifier: Apache-2.0
"""A large image for bench/run, made of this machine's /usr: five layers of up to about 100 MiB each."""
import hashlib
import json
import os
import pathlib
import subprocess
import tarfile

LAYERS, LAYER_BYTES = 5, 100 << 20
BUSYBOX = "/bin/busybox"
MEDIA = "application/vnd.oci.image."
PACKERS = {"gzip": (["gzip", "-6", "-k", "-f"], ".gz"), "zstd": (["zstd", "-q", "-3", "-k", "-f"], ".zst")}


class BigImage:
    """packer: gzip or zstd. An archive that is both an OCI layout and docker's, so that everybody reads it."""

    def __init__(self, directory, packer):
        self.directory, self.packer, self.name = directory, packer, f"berth-big-{packer}:latest"
        self.archive = directory / f"{packer}.tar"
        directory.mkdir(exist_ok=True)
        plain = sorted(directory.glob("?.tar")) or self.make_layers()
        command, suffix = PACKERS[packer]
        self.layers = [pathlib.Path(f"{path}{suffix}") for path in plain]
        if not self.archive.exists():
            subprocess.run([*command, *plain], check=True)
            self.write_archive(plain)

    def make_layers(self):
        files = sorted(p for p in pathlib.Path("/usr").rglob("*") if p.is_file() and not p.is_symlink())
        parts, size = [[] for _ in range(LAYERS)], 0
        for path in files:
            if size >= LAYERS * LAYER_BYTES:
                break
            parts[min(LAYERS - 1, size // LAYER_BYTES)].append(path)
            size += path.stat().st_size
        for i, part in enumerate(parts):
            with tarfile.open(self.directory / f"{i}.tar", "w") as tar:
                if i == 0:
                    tar.add(BUSYBOX, "bin/true")  # what a container of it can run
                for path in part:
                    tar.add(path, recursive=False)
        return sorted(self.directory.glob("?.tar"))

    def size_mib(self):
        return sum(layer.stat().st_size for layer in self.layers) >> 20

    def unpack_command(self, store):
        """The yardstick: the layers decompressed and unpacked by the tools for it, two at once."""
        tool = "zstd -qdc $l" if self.packer == "zstd" else "(igzip -dc $l 2>/dev/null || gzip -dc $l)"
        return ["bash", "-c", f'i=0; for l in {" ".join(map(str, self.layers))}; do i=$((i+1)); '
                              f'mkdir -p {store}/$i; {tool} | tar x -C {store}/$i & [ $((i % 2)) = 1 ] || wait; done; wait']

    def write_archive(self, plain):
        layout = self.directory / self.packer
        blobs = layout / "blobs/sha256"
        blobs.mkdir(parents=True)

        def store(kind, data):
            digest = hashlib.sha256(data).hexdigest()
            (blobs / digest).write_bytes(data)
            return {"mediaType": MEDIA + kind, "digest": "sha256:" + digest, "size": len(data)}

        def path(descriptor):
            return "blobs/sha256/" + descriptor["digest"].removeprefix("sha256:")

        diff_ids = []
        for layer in plain:
            with layer.open("rb") as data:
                diff_ids.append("sha256:" + hashlib.file_digest(data, "sha256").hexdigest())
        layers = [store(f"layer.v1.tar+{self.packer}", layer.read_bytes()) for layer in self.layers]
        machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(os.uname().machine, os.uname().machine)
        config = store("config.v1+json", json.dumps({
            "architecture": machine, "os": "linux", "config": {"Cmd": ["/bin/true"]},
            "rootfs": {"type": "layers", "diff_ids": diff_ids}}).encode())
        manifest = store("manifest.v1+json", json.dumps({
            "schemaVersion": 2, "mediaType": MEDIA + "manifest.v1+json", "config": config, "layers": layers}).encode())
        manifest["annotations"] = {"org.opencontainers.image.ref.name": self.name.rpartition(":")[2],
                                   "io.containerd.image.name": f"docker.io/library/{self.name}"}
        (layout / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [manifest]}))
        (layout / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')
        (layout / "manifest.json").write_text(json.dumps(
            [{"Config": path(config), "RepoTags": [self.name], "Layers": [path(layer) for layer in layers]}]))
        subprocess.run(["tar", "cf", self.archive, "-C", layout, "."], check=True)
