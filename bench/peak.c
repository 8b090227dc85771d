/* SPDX-License-Identifier: Apache-2.0 */
/*
 * peak COMMAND...: runs COMMAND silently and prints its peak memory in KiB.
 *
 * The kernel counts what a process was before execve towards its peak, so a harness in Python never sees less than its
 * own size. This one is small and static.
 */
#include <fcntl.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	struct rusage usage;
	int status;
	pid_t pid;

	if (argc < 2)
		return 2;
	pid = fork();
	if (pid == 0) {
		int null_fd = open("/dev/null", O_RDWR);

		(void)dup2(null_fd, STDIN_FILENO);
		(void)dup2(null_fd, STDOUT_FILENO);
		(void)execvp(argv[1], argv + 1);
		_exit(127);
	}
	if (pid < 0 || wait4(pid, &status, 0, &usage) < 0 || status != 0)
		return 1;
	return printf("%ld\n", usage.ru_maxrss) < 0;
}
