/* asuser UID COMMAND...: run a command as this user and group, without further groups. */
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	if (argc < 3) {
		fprintf(stderr, "asuser UID COMMAND...\n");
		return 1;
	}
	if (setgroups(0, NULL) || setgid(atoi(argv[1])) || setuid(atoi(argv[1]))) {
		perror("asuser");
		return 1;
	}
	execvp(argv[2], argv + 2);
	perror(argv[2]);
	return 127;
}
