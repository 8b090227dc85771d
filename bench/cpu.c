/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cpu COUNT COMMAND...: runs COMMAND silently COUNT times and prints the nanoseconds of processor time that one run took,
 * together with the children it waited for. The kernel counts the sum exactly; how much of it was the kernel's own, it only
 * samples.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

static int run_once(char **argv)
{
	int status;
	pid_t pid = vfork();

	if (pid == 0) {
		int null_fd = open("/dev/null", O_RDWR);

		(void)dup2(null_fd, STDIN_FILENO);
		(void)dup2(null_fd, STDOUT_FILENO);
		(void)execvp(argv[0], argv);
		_exit(127);
	}
	return pid < 0 || waitpid(pid, &status, 0) < 0 || status != 0 ? -1 : 0;
}

static long long spent_us(void)
{
	struct rusage u;

	(void)getrusage(RUSAGE_CHILDREN, &u); /* fails only for a wrong argument */
	return (u.ru_utime.tv_sec + u.ru_stime.tv_sec) * 1000000LL + u.ru_utime.tv_usec +
	       u.ru_stime.tv_usec;
}

int main(int argc, char **argv)
{
	long count = argc > 2 ? strtol(argv[1], NULL, 10) : 0;
	long long before;

	if (count <= 0)
		return 2;
	if (run_once(argv + 2) < 0) /* warms the caches */
		return 1;
	before = spent_us();
	for (long i = 0; i < count; i++)
		if (run_once(argv + 2) < 0)
			return 1;
	return printf("%lld\n", (spent_us() - before) * 1000 / count) < 0;
}
