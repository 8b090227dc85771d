# A thin front: Meson does the work.
all: build/build.ninja
	@ninja -C build

build/build.ninja:
	@meson setup build

.PHONY: all
