/*
 * mounts DIR: a tmpfs on DIR in the newer steps, fsopen(), fsconfig() twice, fsmount() and move_mount(), then umount();
 * a file system that does not exist before that.
 */
#include <fcntl.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { SET_STRING = 1, CREATE = 6, FROM_EMPTY_PATH = 4 };

int main(int argc, char **argv)
{
	int context, mount;

	if (argc != 2)
		return 2;
	syscall(SYS_fsopen, "no_such_fs", 0);
	context = (int)syscall(SYS_fsopen, "tmpfs", 0);
	syscall(SYS_fsconfig, context, SET_STRING, "size", "1m", 0);
	syscall(SYS_fsconfig, context, CREATE, (char *)0, (void *)0, 0);
	mount = (int)syscall(SYS_fsmount, context, 0, 0);
	if (syscall(SYS_move_mount, mount, "", AT_FDCWD, argv[1], FROM_EMPTY_PATH))
		return 1;
	close(mount);
	close(context);
	return umount(argv[1]) != 0;
}
