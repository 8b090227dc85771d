/* SPDX-License-Identifier: Apache-2.0 */
#pragma once

/*
 * Locks between processes: an open file description lock on a file that names its holder. The lock
 * ends with the fd, so a killed holder leaves nothing behind; the file itself stays.
 */

#include <sys/types.h>
#include "base/error.h"

/* How to wait for another holder. */
struct lock_wait {
	int timeout_ms;
	int stop_fd; /* readable: the wait ends with -ECANCELED; <= 0: never */
	/* Told once, if it takes longer than a second: "waiting for PROGRAM (pid N), which uses 'NAME'".
	 * May be NULL. */
	void (*notice)(const char *sentence);
};

/*
 * Take the exclusive lock of dir_fd/name, creating the file.
 *
 * wait        NULL: not at all
 * ret_fd      the lock; closing it unlocks. It must not be inherited across exec (it is O_CLOEXEC).
 * Errors      ERROR_CONFLICT: "'NAME' is in use by PROGRAM (pid N)"; -ECANCELED: stopped
 * Source      fcntl(2), F_OFD_SETLK
 */
int lock_acquire(int dir_fd, const char *name, const struct lock_wait *wait, int *ret_fd,
		 struct error *err);

/* The same without creating the file: -ENOENT if it is not there, of a directory that is being removed. */
int lock_acquire_existing(int dir_fd, const char *name, const struct lock_wait *wait, int *ret_fd,
			  struct error *err);

/* The same lock, shared: any number of these at once, but none while somebody has it exclusively. Such a
 * holder is not named: who waits for one reads "another program". */
int lock_share(int dir_fd, const char *name, const struct lock_wait *wait, int *ret_fd,
	       struct error *err);

/* The exclusive lock of a file that is open and that is not only a lock: the holder is not written into
 * it. -EAGAIN: another has it. */
int lock_try_fd(int fd);

/*
 * Who holds a lock of fcntl(2) F_SETLK on dir_fd/name: a process that lives, whatever the file says.
 * Unlike the lock above it is its process's, and ends with it.
 *
 * ret_pid   0: nobody, or there is no such file
 */
int lock_holder(int dir_fd, const char *name, pid_t *ret_pid, struct error *err);
