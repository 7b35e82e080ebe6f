/* kills N SEED TRACER: start the tracer N times with one script after another, kill it with SIGKILL after a random time (half of the
 * times a SIGINT comes first, so that it is hit while it detaches), and compare what the kernel has of programs, maps, links, probes
 * and tracing processes with what it had before. */
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

enum { RUNNING_MS = 1200, DETACHING_MS = 100, PATIENCE_S = 120, ROOM = 1 << 20 };

static const char *const scripts[] = {
	"kprobe:vfs_*, kretprobe:vfs_* { @[func] = count(); }",
	"tracepoint:syscalls:sys_enter_*, tracepoint:sched:* { @[probe] = count(); }",
	"uprobe:utarget:wt_*, uretprobe:utarget:wt_* { @[func] = count(); }",
	"fentry:vfs_read, fentry:vfs_write, fexit:vfs_read, fexit:vfs_write, fentry:vfs_open { @[probe] = count(); }",
	"profile:hz:99 { @[kstack] = count(); } interval:ms:10 { print(@); } software:page-faults:1 { @f = count(); }",
	"iter:task_file { printf(\"%d %s\\n\", ctx.fd, ctx.task.comm); }",
	"rawtracepoint:sys_enter { @[pid] = count(); } tracepoint:sched:sched_switch { printf(\"%s\\n\", comm); }",
};

static const char *const files[] = {"/sys/kernel/debug/kprobes/list", "/sys/kernel/tracing/kprobe_events",
				    "/sys/kernel/tracing/uprobe_events", "/sys/kernel/tracing/enabled_functions"};

static void add_ids(char *to, const char *name, int next_id)
{
	struct {
		uint32_t start, next, flags;
	} attr = {0};

	strcat(to, name);
	while (!syscall(SYS_bpf, next_id, &attr, sizeof(attr))) {
		sprintf(to + strlen(to), " %u", attr.next);
		attr.start = attr.next;
	}
	strcat(to, "\n");
}

static void add_file(char *to, const char *path)
{
	size_t used = strlen(to);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n;

	while (fd >= 0 && (n = read(fd, to + used, ROOM - 1 - used)) > 0)
		used += n;
	to[used] = '\0';
	if (fd >= 0)
		close(fd);
}

static void add_processes(char *to, const char *tracer)
{
	const char *base = strrchr(tracer, '/') ? strrchr(tracer, '/') + 1 : tracer;
	DIR *dir = opendir("/proc");

	for (struct dirent *e; dir && (e = readdir(dir));) {
		char path[300], comm[64] = "";
		int fd;

		snprintf(path, sizeof(path), "/proc/%s/comm", e->d_name);
		fd = atoi(e->d_name) > 0 ? open(path, O_RDONLY | O_CLOEXEC) : -1;
		if (fd >= 0 && read(fd, comm, sizeof(comm) - 1) > 0 && !strncmp(comm, base, strlen(base)))
			sprintf(to + strlen(to), "process %s %s", e->d_name, comm);
		if (fd >= 0)
			close(fd);
	}
	if (dir)
		closedir(dir);
}

static void take(char *to, const char *tracer)
{
	*to = '\0';
	add_ids(to, "programs:", 11);
	add_ids(to, "maps:", 12);
	add_ids(to, "links:", 31);
	for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++)
		add_file(to, files[i]);
	add_processes(to, tracer);
}

static void wait_ms(int ms)
{
	usleep(ms * 1000);
}

/* 1 when it was alive to be killed. */
static int kill_one(const char *tracer, const char *script)
{
	int status, null;
	pid_t pid = fork();

	if (!pid) {
		null = open("/dev/null", O_RDWR);
		dup2(null, 0);
		dup2(null, 1);
		dup2(null, 2);
		execlp(tracer, tracer, "-e", script, (char *)NULL);
		_exit(127);
	}
	wait_ms(rand() % RUNNING_MS);
	if (rand() % 2) {
		kill(pid, SIGINT);
		wait_ms(rand() % DETACHING_MS);
	}
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return WIFSIGNALED(status);
}

int main(int argc, char **argv)
{
	static char before[ROOM], after[ROOM];
	int n = argc > 3 ? atoi(argv[1]) : 0, killed = 0;

	if (n <= 0)
		return 2;
	srand(atoi(argv[2]));
	take(before, argv[3]);
	for (int i = 0; i < n; i++)
		killed += kill_one(argv[3], scripts[i % (sizeof(scripts) / sizeof(*scripts))]);
	/* The kernel takes things down when it comes to it. */
	for (int i = 0; i < PATIENCE_S * 10; i++) {
		take(after, argv[3]);
		if (!strcmp(before, after))
			break;
		wait_ms(100);
	}
	if (strcmp(before, after)) {
		printf("something stays\nbefore:\n%s\nafter:\n%s", before, after);
		return 1;
	}
	printf("%d of %d killed, nothing stays\n", killed, n);
	return killed * 4 < n; /* the others had ended, or could not start */
}
