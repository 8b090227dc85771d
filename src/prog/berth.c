/* SPDX-License-Identifier: Apache-2.0 */
/* berth: the command line. Everything is in cli/. */
#include "cli/command.h"

int main(int argc, char **argv)
{
	return command_main(argc, argv);
}
