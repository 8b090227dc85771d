/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * What is said to a monitor and by it. Two SOCK_SEQPACKET conversations, one packet a message; both
 * ends are the same build on the same host, so packets are plain structs.
 *
 * The sync socket, from the engine that started the monitor (docs/formats/monitor.md):
 *
 *     engine                                  monitor
 *       spawn, sync socket inherited ────────▶
 *       ◀──────────────── MONITOR_CREATED pid    init exists and waits
 *       MONITOR_START ───────────────────────▶
 *       ◀──────────────── MONITOR_STARTED        execve worked
 *       ◀──────────────── MONITOR_EXITED         the exit file is written
 *       MONITOR_RECORDED ────────────────────▶   no exit command needed
 *       ◀──────────────── end of file            everything is removed, the monitor has gone
 *
 *     Instead of CREATED or STARTED: MONITOR_FAILED with the struct error, then end of file;
 *     nothing of the container is left.
 *     The engine closes before MONITOR_START: the container is killed and removed.
 *     It closes after MONITOR_STARTED: the container is detached and goes on.
 *
 * The attach socket, from anybody who wants stdio or the exit status (docs/formats/attach.md):
 *
 *     client                                  monitor
 *       ATTACH_HELLO wants ─────────────────▶
 *       ◀─────────────── ATTACH_WELCOME state
 *       ATTACH_STDIN, _STDIN_EOF, _RESIZE ──▶
 *       ◀─────────────── ATTACH_STDOUT, _STDERR
 *       ◀─────────────── ATTACH_EXIT             last packet
 *       ATTACH_RECORDED ────────────────────▶    only an engine that watches
 */

#include <stddef.h>
#include <stdint.h>
#include "base/error.h"

/* How the container ended; also the contents of the exit file. */
struct monitor_exit {
	int32_t code;	    /* exit code, or 128 + signal */
	int32_t signal;	    /* 0: it exited */
	int32_t pid;	    /* init's */
	int32_t oom_killed; /* 0, 1: the kernel's OOM killer took a process of its cgroup */
	int64_t started_ns; /* real time; 0: never started */
	int64_t finished_ns;
	uint64_t log_errors; /* writes of the log that failed */
};

/* Sync socket */

enum monitor_packet_type {
	/* monitor -> engine */
	MONITOR_CREATED = 1, /* pid */
	MONITOR_STARTED,     /* pid, time_ns; may come without CREATED before it */
	MONITOR_FAILED,	     /* error */
	MONITOR_EXITED,	     /* exit */
	/* engine -> monitor */
	MONITOR_START = 16,
	MONITOR_RECORDED,
};

struct monitor_packet {
	uint32_t type;
	uint32_t zero; /* aligns what follows */
	union {
		struct {
			int64_t time_ns;
			int32_t pid;
		};
		struct monitor_exit exit;
		struct error error;
	};
};

/* Attach socket */

#define ATTACH_VERSION	1
#define ATTACH_DATA_MAX 8192 /* bytes of stdio in a packet */

enum attach_packet_type {
	/* client -> monitor */
	ATTACH_HELLO = 1, /* struct attach_hello, first */
	ATTACH_STDIN,	  /* bytes */
	ATTACH_STDIN_EOF, /* no more from this client; ends the container's stdin if StdinOnce */
	ATTACH_RESIZE,	  /* struct attach_size */
	ATTACH_RECORDED,  /* the exit status is in the database */
	/* monitor -> client */
	ATTACH_WELCOME = 16, /* struct attach_welcome */
	ATTACH_STDOUT,	     /* bytes; of a terminal all output */
	ATTACH_STDERR,
	ATTACH_EXIT,	/* struct monitor_exit; last */
	ATTACH_REFUSED, /* struct error; last */
};

enum attach_want {
	ATTACH_WANT_STDIN = 1 << 0,
	ATTACH_WANT_STDOUT = 1 << 1,
	ATTACH_WANT_STDERR = 1 << 2,
	ATTACH_WANT_EXIT = 1 << 3, /* will answer ATTACH_EXIT with ATTACH_RECORDED */
	ATTACH_WANT_OUTPUT = ATTACH_WANT_STDOUT | ATTACH_WANT_STDERR,
};

struct attach_hello {
	uint32_t version; /* ATTACH_VERSION */
	uint32_t want;	  /* enum attach_want */
};

struct attach_size {
	uint16_t rows;
	uint16_t cols;
};

struct attach_welcome {
	uint32_t version;
	int32_t pid;	     /* init, or 0 before it exists */
	int64_t started_ns;  /* 0: not yet started */
	uint32_t tty;	     /* 1: the container has a terminal */
	uint32_t stdin_open; /* 1: ATTACH_STDIN is taken */
};

struct attach_packet {
	uint32_t type;
	uint32_t zero; /* aligns what follows */
	union {
		char data[ATTACH_DATA_MAX];
		struct attach_hello hello;
		struct attach_size size;
		struct attach_welcome welcome;
		struct monitor_exit exit;
		struct error error;
	};
};

#define ATTACH_HEAD_SIZE offsetof(struct attach_packet, data)

/* Names inside the run directory of a container */
#define MONITOR_ATTACH_SOCKET "attach.sock"
#define MONITOR_PID_FILE      "monitor.pid" /* its number as text; a POSIX lock while it lives */
