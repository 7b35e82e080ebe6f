/*
 * Runs test cases one after another and reports what each did.  In a guest it is /init: it mounts
 * the file systems, works through /wt/jobs and writes to the second serial port; on the running
 * kernel it is `agent JOBS RESULTS`.  It only executes: what a case needs it asks abilities.c, and
 * the host judges.
 *
 * A job file is a row of records "KEY LENGTH\nBYTES\n", so that any byte may be in them; runtime.py
 * writes it and docs/testing.md describes it.  Results are lines that begin with '@', bytes in
 * base64.
 */
#define _GNU_SOURCE
#include "abilities.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define MAX_NEEDS 16
#define MAX_ARGS 64
#define MAX_FILES 16
#define KEEP_BYTES (1 << 20)

struct bytes {
	char *data;
	size_t len;
};

struct job {
	char id[32];
	long timeout_ms;
	struct bytes needs[MAX_NEEDS];
	unsigned int n_needs;
	char *argv[MAX_ARGS + 1];
	unsigned int n_args;
	struct bytes file_names[MAX_FILES], files[MAX_FILES];
	unsigned int n_files;
	struct bytes input;
	char *beside;	/* shell line started once the main process is ready */
	char *ready;	/* text on the main process' stderr that says so */
	int end_signal; /* sent to the main process when `beside` has ended; 0: it ends by itself */
	bool keep_stdin_open;
};

/* What arrives on a pipe: the beginning is kept, the rest is counted. */
struct stream {
	const char *name;
	int fd;
	char *data;
	size_t kept, total;
};

struct child {
	pid_t pid;
	bool running;
	int status;
};

static FILE *results;
static bool in_guest;
static int kmsg = -1;

static long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void die(const char *what)
{
	fprintf(stderr, "agent: %s: %s\n", what, strerror(errno));
	exit(2);
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, text, strlen(text)) < 0)
		fprintf(stderr, "agent: %s: %s\n", path, strerror(errno));
	close(fd);
}

/* ---- results ---- */

static void put_base64(const char *data, size_t len)
{
	static const char digits[] =
		"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	for (size_t i = 0; i < len; i += 3) {
		unsigned int n = (unsigned char)data[i] << 16;

		if (i + 1 < len)
			n |= (unsigned char)data[i + 1] << 8;
		if (i + 2 < len)
			n |= (unsigned char)data[i + 2];
		fputc(digits[n >> 18], results);
		fputc(digits[n >> 12 & 63], results);
		fputc(i + 1 < len ? digits[n >> 6 & 63] : '=', results);
		fputc(i + 2 < len ? digits[n & 63] : '=', results);
	}
}

static void put_text(const char *key, const char *data, size_t len)
{
	fprintf(results, "@%s ", key);
	put_base64(data, len);
	fputc('\n', results);
}

static void note(const char *key, const char *format, ...)
{
	char text[4096];
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	put_text(key, text, n < (int)sizeof(text) ? n : (int)sizeof(text) - 1);
}

/* ---- what is in the kernel ---- */

enum { BPF_PROG_GET_NEXT_ID = 11, BPF_MAP_GET_NEXT_ID = 12, BPF_LINK_GET_NEXT_ID = 31 };

static const struct {
	const char *name;
	int cmd;
} object_kinds[] = {
	{"program", BPF_PROG_GET_NEXT_ID},
	{"map", BPF_MAP_GET_NEXT_ID},
	{"link", BPF_LINK_GET_NEXT_ID},
};

#define OBJECT_KINDS (sizeof(object_kinds) / sizeof(object_kinds[0]))
#define MAX_OBJECTS 512

struct objects {
	uint32_t ids[OBJECT_KINDS][MAX_OBJECTS];
	unsigned int n[OBJECT_KINDS];
};

static void list_objects(struct objects *o)
{
	for (unsigned int k = 0; k < OBJECT_KINDS; k++) {
		struct {
			uint32_t start, next, flags;
		} attr = {0};

		o->n[k] = 0;
		while (o->n[k] < MAX_OBJECTS &&
		       !syscall(SYS_bpf, object_kinds[k].cmd, &attr, sizeof(attr))) {
			o->ids[k][o->n[k]++] = attr.next;
			attr.start = attr.next;
		}
	}
}

static bool had(const struct objects *before, unsigned int kind, uint32_t id)
{
	for (unsigned int i = 0; i < before->n[kind]; i++) {
		if (before->ids[kind][i] == id)
			return true;
	}
	return false;
}

/* Kinds and ids of what is in the kernel now and was not before; empty when nothing is. */
static void new_objects(const struct objects *before, char *text, size_t size)
{
	static struct objects now;
	size_t at = 0;

	list_objects(&now);
	text[0] = 0;
	for (unsigned int k = 0; k < OBJECT_KINDS; k++) {
		for (unsigned int i = 0; i < now.n[k]; i++) {
			if (!had(before, k, now.ids[k][i]) && at + 32 < size)
				at += snprintf(text + at, size - at, "%s%s %u", at ? ", " : "",
					       object_kinds[k].name, now.ids[k][i]);
		}
	}
}

/* The kernel frees programs, maps and links after a grace period: wait for it before calling it a
 * leak. */
static void report_left_objects(const struct objects *before)
{
	char text[1024];
	long end = now_ms() + 5000;

	for (;;) {
		new_objects(before, text, sizeof(text));
		if (!text[0])
			return;
		if (now_ms() > end)
			break;
		usleep(20000);
	}
	note("leak", "%s", text);
}

static bool is_alarming(const char *line)
{
	static const char *const words[] = {
		"WARNING: CPU",
		"BUG:",
		"Oops",
		"cut here ]",
		"general protection",
		"Kernel panic",
		"WARNING: possible",
		"rcu: INFO",
		"unable to handle",
		"UBSAN:",
		"slab corruption",
	};

	for (unsigned int i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strstr(line, words[i]))
			return true;
	}
	return false;
}

/* Pass on what the kernel complained about since the last call; dropped where `report` is false. */
static void check_kernel_log(bool report)
{
	char line[4096];
	ssize_t n;
	int alarmed = 0;

	if (kmsg < 0)
		return;
	while ((n = read(kmsg, line, sizeof(line) - 1)) > 0 || (n < 0 && errno == EPIPE)) {
		char *text, *end;

		if (n < 0)
			continue;
		line[n] = 0;
		text = strchr(line, ';');
		text = text ? text + 1 : line;
		end = strchr(text, '\n');
		if (end)
			*end = 0;
		if (is_alarming(text))
			alarmed = alarmed ? alarmed : 1;
		/* The lines after the first one say where. */
		if (report && alarmed && alarmed < 24) {
			note("kernel", "%s", text);
			alarmed++;
		}
	}
}

/* ---- processes ---- */

/* Our descendants end up as our children: as PID 1, or as a subreaper.  Calls `fn` for each. */
static void each_child(void (*fn)(pid_t pid, const char *comm, void *arg), void *arg)
{
	DIR *proc = opendir("/proc");
	struct dirent *e;

	while (proc && (e = readdir(proc))) {
		char path[300], text[512], *open_paren, *close_paren;
		int fd, ppid;
		ssize_t n;
		char state;

		if (!isdigit((unsigned char)e->d_name[0]))
			continue;
		snprintf(path, sizeof(path), "/proc/%s/stat", e->d_name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd < 0)
			continue;
		n = read(fd, text, sizeof(text) - 1);
		close(fd);
		if (n <= 0)
			continue;
		text[n] = 0;
		open_paren = strchr(text, '(');
		close_paren = strrchr(text, ')');
		if (!open_paren || !close_paren ||
		    sscanf(close_paren + 1, " %c %d", &state, &ppid) != 2)
			continue;
		*close_paren = 0;
		if (ppid == getpid() && state != 'Z')
			fn(atoi(e->d_name), open_paren + 1, arg);
	}
	if (proc)
		closedir(proc);
}

static void reap(struct child *a, struct child *b)
{
	int status;
	pid_t pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
		if (a && pid == a->pid) {
			a->running = false;
			a->status = status;
		} else if (b && pid == b->pid) {
			b->running = false;
			b->status = status;
		}
	}
}

static void kill_child(pid_t pid, const char *comm, void *arg)
{
	(void)comm;
	*(int *)arg += 1;
	kill(pid, SIGKILL);
}

static void name_child(pid_t pid, const char *comm, void *arg)
{
	(void)pid;
	strncat(arg, " ", 1000 - strlen(arg));
	strncat(arg, comm, 1000 - strlen(arg));
}

/* End every process of the case, and say which ones were still there. */
static void end_leftovers(void)
{
	char names[1024] = "";
	long end = now_ms() + 500;

	/* A child that the tracer has just told to stop needs a moment. */
	do {
		names[0] = 0;
		reap(NULL, NULL);
		each_child(name_child, names);
		if (!names[0])
			return;
		usleep(10000);
	} while (now_ms() < end);
	note("left", "%s", names + 1);
	for (int round = 0; round < 200; round++) {
		int n = 0;

		each_child(kill_child, &n);
		reap(NULL, NULL);
		if (!n)
			return;
		usleep(10000);
	}
}

static void report_hang(pid_t pid)
{
	static const char *const files[] = {"wchan", "stack", "syscall"};

	for (unsigned int i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		char path[64], text[2048];
		int fd;
		ssize_t n;

		snprintf(path, sizeof(path), "/proc/%d/%s", pid, files[i]);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;
		if (n > 0)
			note("hang", "%s: %.*s", files[i], (int)n, text);
		if (fd >= 0)
			close(fd);
	}
}

static pid_t start(char *const argv[], int in, int out, int err)
{
	pid_t pid = fork();

	if (pid < 0)
		die("fork");
	if (pid)
		return pid;
	setsid();
	signal(SIGPIPE, SIG_DFL);
	if (dup2(in, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0)
		_exit(126);
	execvp(argv[0], argv);
	dprintf(2, "agent: %s: %s\n", argv[0], strerror(errno));
	_exit(127);
}

static void stream_open(struct stream *s, const char *name, int *write_end)
{
	int p[2];

	if (pipe2(p, O_CLOEXEC))
		die("pipe");
	fcntl(p[0], F_SETFL, O_NONBLOCK);
	fcntl(p[0], F_SETPIPE_SZ, 1 << 20);
	*s = (struct stream){.name = name, .fd = p[0], .data = malloc(KEEP_BYTES)};
	*write_end = p[1];
}

/* Take what is there.  False at the end of the stream. */
static bool stream_read(struct stream *s)
{
	char buf[65536];
	ssize_t n;

	while ((n = read(s->fd, buf, sizeof(buf))) > 0) {
		size_t keep = s->kept + n > KEEP_BYTES ? KEEP_BYTES - s->kept : (size_t)n;

		memcpy(s->data + s->kept, buf, keep);
		s->kept += keep;
		s->total += n;
	}
	if (n == 0) {
		close(s->fd);
		s->fd = -1;
		return false;
	}
	return true;
}

static void stream_report(struct stream *s)
{
	if (s->fd >= 0)
		close(s->fd);
	fprintf(results, "@length %s %zu\n", s->name, s->total);
	put_text(s->name, s->data, s->kept);
	free(s->data);
}

static int remove_entry(const char *path, const struct stat *st, int flag, struct FTW *ftw)
{
	(void)st;
	(void)flag;
	(void)ftw;
	return remove(path);
}

static int input_of(const struct job *job)
{
	int fd;

	if (job->keep_stdin_open) {
		int p[2];

		if (pipe(p)) /* the write end stays open, unused, until the next case */
			die("pipe");
		fcntl(p[1], F_SETFD, FD_CLOEXEC);
		return p[0];
	}
	if (!job->input.data)
		return open("/dev/null", O_RDONLY | O_CLOEXEC);
	fd = memfd_create("stdin", MFD_CLOEXEC);
	if (fd < 0 || write(fd, job->input.data, job->input.len) != (ssize_t)job->input.len)
		die("stdin");
	lseek(fd, 0, SEEK_SET);
	return fd;
}

static void execute(const struct job *job)
{
	static struct objects before;
	struct stream streams[4];
	struct stream *out = &streams[0], *err = &streams[1], *bout = &streams[2],
		      *berr = &streams[3];
	int out_w, err_w, bout_w, berr_w, in = input_of(job);
	struct child main_child = {0}, beside = {0};
	long begin = now_ms(), end = begin + job->timeout_ms;
	bool timed_out = false, signalled = false, beside_started = false;
	char scratch[] = "/tmp/wt-XXXXXX";

	if (!mkdtemp(scratch) || chdir(scratch))
		die("scratch directory");
	for (unsigned int i = 0; i < job->n_files; i++) {
		int fd = open(job->file_names[i].data, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC,
			      0755);

		if (fd < 0 ||
		    write(fd, job->files[i].data, job->files[i].len) != (ssize_t)job->files[i].len)
			die(job->file_names[i].data);
		close(fd);
	}
	list_objects(&before);
	check_kernel_log(false);
	stream_open(out, "out", &out_w);
	stream_open(err, "err", &err_w);
	stream_open(bout, "beside-out", &bout_w);
	stream_open(berr, "beside-err", &berr_w);
	main_child.pid = start(job->argv, in, out_w, err_w);
	main_child.running = true;
	close(out_w);
	close(err_w);
	close(in);
	for (;;) {
		struct pollfd fds[4];

		for (int i = 0; i < 4; i++)
			fds[i] = (struct pollfd){.fd = streams[i].fd, .events = POLLIN};
		poll(fds, 4, 5);
		for (int i = 0; i < 4; i++) {
			if (fds[i].fd >= 0 && fds[i].revents)
				stream_read(&streams[i]);
		}
		reap(&main_child, &beside);
		if (job->beside && !beside_started &&
		    memmem(err->data, err->kept, job->ready, strlen(job->ready))) {
			char *argv[] = {"sh", "-c", job->beside, NULL};
			int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
			char pid[32];

			snprintf(pid, sizeof(pid), "%d", main_child.pid);
			setenv("WT_PID", pid, 1);
			beside.pid = start(argv, null, bout_w, berr_w);
			beside.running = beside_started = true;
			close(null);
		}
		if (beside_started && !beside.running && !signalled && job->end_signal) {
			kill(main_child.pid, job->end_signal);
			signalled = true;
		}
		/* With `beside` that ends later than the tracer, its own end is waited for too. */
		if (!main_child.running && !beside.running)
			break;
		if (now_ms() > end) {
			timed_out = true;
			report_hang(main_child.pid);
			break;
		}
	}
	if (main_child.running)
		kill(-main_child.pid, SIGKILL);
	if (beside.running)
		kill(-beside.pid, SIGKILL);
	for (int i = 0; i < 200 && (main_child.running || beside.running); i++) {
		usleep(10000);
		reap(&main_child, &beside);
	}
	close(bout_w);
	close(berr_w);
	end_leftovers();
	for (int i = 0; i < 4; i++) {
		if (streams[i].fd >= 0)
			stream_read(&streams[i]);
	}
	report_left_objects(&before);
	check_kernel_log(in_guest);
	for (int i = 0; i < 4; i++)
		stream_report(&streams[i]);
	if (job->beside)
		fprintf(results, "@beside-status %d\n",
			!beside_started		     ? -1
			: WIFSIGNALED(beside.status) ? 128 + WTERMSIG(beside.status)
						     : WEXITSTATUS(beside.status));
	fprintf(results, "@end %s %d %d %ld\n", job->id,
		WIFSIGNALED(main_child.status) ? 128 + WTERMSIG(main_child.status)
					       : WEXITSTATUS(main_child.status),
		timed_out, now_ms() - begin);
	fflush(results);
	if (chdir("/"))
		die("/");
	nftw(scratch, remove_entry, 16, FTW_DEPTH | FTW_PHYS);
}

static void run_job(const struct job *job)
{
	fprintf(results, "@begin %s\n", job->id);
	fflush(results);
	for (unsigned int i = 0; i < job->n_needs; i++) {
		const char *missing = ability_missing(job->needs[i].data);

		if (missing) {
			note("reason", "%s: %s", job->needs[i].data, missing);
			fprintf(results, "@skip %s\n", job->id);
			fflush(results);
			return;
		}
	}
	execute(job);
}

/* ---- the job file ---- */

static void job_free(struct job *job)
{
	for (unsigned int i = 0; i < job->n_needs; i++)
		free(job->needs[i].data);
	for (unsigned int i = 0; i < job->n_args; i++)
		free(job->argv[i]);
	for (unsigned int i = 0; i < job->n_files; i++) {
		free(job->file_names[i].data);
		free(job->files[i].data);
	}
	free(job->input.data);
	free(job->beside);
	free(job->ready);
	memset(job, 0, sizeof(*job));
}

static void job_set(struct job *job, const char *key, struct bytes b)
{
	bool keep = true;

	if (!strcmp(key, "case")) {
		snprintf(job->id, sizeof(job->id), "%s", b.data);
		keep = false;
	} else if (!strcmp(key, "timeout")) {
		job->timeout_ms = atol(b.data);
		keep = false;
	} else if (!strcmp(key, "signal")) {
		job->end_signal = atoi(b.data);
		keep = false;
	} else if (!strcmp(key, "open-stdin")) {
		job->keep_stdin_open = true;
		keep = false;
	} else if (!strcmp(key, "need") && job->n_needs < MAX_NEEDS) {
		job->needs[job->n_needs++] = b;
	} else if (!strcmp(key, "arg") && job->n_args < MAX_ARGS) {
		job->argv[job->n_args++] = b.data;
	} else if (!strcmp(key, "name") && job->n_files < MAX_FILES) {
		job->file_names[job->n_files] = b;
	} else if (!strcmp(key, "file") && job->n_files < MAX_FILES) {
		job->files[job->n_files++] = b;
	} else if (!strcmp(key, "stdin")) {
		job->input = b;
	} else if (!strcmp(key, "beside")) {
		job->beside = b.data;
	} else if (!strcmp(key, "ready")) {
		job->ready = b.data;
	} else {
		fprintf(stderr, "agent: job file: cannot take '%s'\n", key);
		exit(2);
	}
	if (!keep)
		free(b.data);
}

static void run_jobs(FILE *jobs)
{
	struct job job = {0};
	char key[32];
	size_t len;

	while (fscanf(jobs, "%31s %zu", key, &len) == 2 && fgetc(jobs) == '\n') {
		struct bytes b = {.data = malloc(len + 1), .len = len};

		if (!b.data || fread(b.data, 1, len, jobs) != len)
			die("job file");
		b.data[len] = 0;
		if (!strcmp(key, "run")) {
			free(b.data);
			run_job(&job);
			job_free(&job);
		} else if (!strncmp(key, "env:", 4)) {
			setenv(key + 4, b.data, 1);
			free(b.data);
		} else {
			job_set(&job, key, b);
		}
	}
}

/* ---- as /init ---- */

static void mount_all(void)
{
	static const struct {
		const char *type, *where;
	} mounts[] = {
		{"proc", "/proc"},
		{"sysfs", "/sys"},
		{"devtmpfs", "/dev"},
		{"devpts", "/dev/pts"},
		{"tmpfs", "/dev/shm"},
		{"tmpfs", "/tmp"},
		{"tmpfs", "/run"},
		{"debugfs", "/sys/kernel/debug"},
		{"tracefs", "/sys/kernel/tracing"},
		{"bpf", "/sys/fs/bpf"},
		{"cgroup2", "/sys/fs/cgroup"},
	};

	for (unsigned int i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++) {
		mkdir(mounts[i].where, 0755);
		if (mount(mounts[i].type, mounts[i].where, mounts[i].type, 0, NULL))
			fprintf(stderr, "agent: mount %s: %s\n", mounts[i].where, strerror(errno));
	}
	chmod("/tmp", 01777);
	if (symlink("/proc/self/fd", "/dev/fd") && errno != EEXIST)
		fprintf(stderr, "agent: /dev/fd: %s\n", strerror(errno));
	if ((symlink("fd/0", "/dev/stdin") || symlink("fd/1", "/dev/stdout") ||
	     symlink("fd/2", "/dev/stderr")) &&
	    errno != EEXIST)
		fprintf(stderr, "agent: /dev/std*: %s\n", strerror(errno));
}

static void loopback_up(void)
{
	struct ifreq r = {.ifr_name = "lo"};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || ioctl(fd, SIOCGIFFLAGS, &r))
		return;
	r.ifr_flags |= IFF_UP | IFF_RUNNING;
	if (ioctl(fd, SIOCSIFFLAGS, &r))
		fprintf(stderr, "agent: lo: %s\n", strerror(errno));
	close(fd);
}

static FILE *open_port(const char *path)
{
	struct termios t;
	int fd = open(path, O_RDWR | O_NOCTTY | O_CLOEXEC);

	if (fd < 0 || tcgetattr(fd, &t))
		die(path);
	cfmakeraw(&t);
	cfsetspeed(&t, B115200);
	tcsetattr(fd, TCSANOW, &t);
	return fdopen(fd, "w");
}

static void power_off(void)
{
	sync();
	reboot(RB_AUTOBOOT); /* with -no-reboot QEMU ends here, faster than through ACPI */
	for (;;)
		pause();
}

static void shell(void)
{
	printf("\nA test guest.  The binary under test and the triggers are in PATH; 'exit' ends "
	       "the guest.\n\n");
	fflush(stdout);
	pid_t pid = fork();

	if (!pid) {
		setsid();
		execlp("cttyhack", "cttyhack", "sh", NULL);
		_exit(127);
	}
	while (waitpid(-1, NULL, 0) != pid)
		;
}

static int as_init(void)
{
	FILE *jobs;

	in_guest = true;
	mount_all();
	loopback_up();
	sethostname("guest", 5);
	setenv("PATH", "/wt/bin:/wt/triggers:/usr/bin:/usr/sbin:/bin:/sbin", 1);
	setenv("HOME", "/root", 1);
	setenv("TERM", "dumb", 1);
	write_file("/proc/sys/kernel/core_pattern", "|/bin/false");
	kmsg = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (kmsg >= 0)
		lseek(kmsg, 0, SEEK_END);
	jobs = fopen("/wt/jobs", "re");
	if (!jobs) {
		shell();
		power_off();
	}
	results = open_port("/dev/ttyS1");
	fprintf(results, "@ready\n");
	fflush(results);
	run_jobs(jobs);
	fprintf(results, "@done\n");
	fflush(results);
	tcdrain(fileno(results));
	power_off();
	return 0;
}

int main(int argc, char **argv)
{
	FILE *jobs;

	signal(SIGPIPE, SIG_IGN);
	if (getpid() == 1)
		return as_init();
	if (argc == 2 && !strcmp(argv[1], "abilities")) {
		abilities_list(stdout);
		return 0;
	}
	if (argc != 3) {
		fprintf(stderr, "usage: agent JOBS RESULTS | agent abilities\n");
		return 2;
	}
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	jobs = fopen(argv[1], "re");
	results = fopen(argv[2], "we");
	if (!jobs || !results)
		die(jobs ? argv[2] : argv[1]);
	fprintf(results, "@ready\n");
	run_jobs(jobs);
	fprintf(results, "@done\n");
	return fclose(results) ? 2 : 0;
}
