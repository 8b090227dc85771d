/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * container.json: the part of docker's inspect object that is fixed when a container is made
 * (Id, Path, Args, Config, HostConfig, Mounts, ...). Written once beside config.json; inspect
 * completes it with the row, start and stop read their settings out of it.
 */

#include "engine/container_config.h"

struct buf;
struct image;
struct json;
struct snapshot_mount;

struct document_paths {
	const char *dir;		    /* the container's directory */
	const char *log_path;		    /* "" without a log */
	const char *driver;		    /* "overlay", or "" with --rootfs */
	const struct snapshot_mount *mount; /* or NULL */
};

/* The document as text, appended. */
void document_format(const struct container_config *c, const struct document_paths *paths,
		     struct buf *out);

/* What start and stop need of it; all of it lies on the arena it was loaded into. */
struct document {
	const struct json *root;
	bool tty, open_stdin, stdin_once, auto_remove;
	const char *stop_signal; /* or NULL */
	int stop_timeout_s;	 /* -1: none */
	const char *log_driver, *log_path;
	const char **log_opts;	   /* NAME=VALUE, up to a NULL */
	const char *runtime;	   /* or NULL: the built-in one */
	const char *cgroup_parent; /* or "" */
};

/* Reads dir_fd's container.json. Errors: ERROR_INVALID for a file that is not one. */
int document_load(int dir_fd, struct arena *arena, struct document *ret, struct error *err);
