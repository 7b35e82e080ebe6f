/* The window onto the machine: what lang/kernel.h asks is handed to the file that knows.  Probe kinds answer through their
 * providers. */
#include "runtime/kernel.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "runtime/machine.h"
#include "runtime/shipped.h"
#include "runtime/user_symbols.h"
#include "runtime/user_types.h"

enum { MAX_SCRIPT_FILE = 64 << 20, CGROUP_HANDLE_BYTES = 8 };

void machine_refuse(struct machine *m, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	m->why = arena_vprintf(m->arena, fmt, ap);
	va_end(ap);
}

static const char *last_why(struct kernel *k)
{
	return machine_of(k)->why;
}

static bool args_of(struct kernel *k, struct types *t, const struct probe_spec *spec, struct probe_args *out, const char **why)
{
	const struct provider *p = provider_of(spec->kind->id);

	*out = (struct probe_args){0};
	*why = NULL;
	if (p && p->args)
		return p->args(k, t, spec, out, why);
	*why = "this kind of probe has no named arguments";
	return false;
}

static int each_probe(struct kernel *k, struct arena *a, const struct probe_spec *pattern, probe_name_fn fn, void *arg)
{
	const struct provider *p = provider_of(pattern->kind->id);

	machine_of(k)->why = NULL;
	if (p && p->list)
		return p->list(k, a, pattern, fn, arg);
	fn(pattern, arg); /* kinds that are what they are: begin, interval, ... */
	return 1;
}

static void near_probes(struct kernel *k, const struct probe_spec *spec, struct diag_near *near)
{
	const struct provider *p = provider_of(spec->kind->id);

	if (p && p->near)
		p->near(k, spec, near);
}

static uint64_t symbol_address(struct kernel *k, struct str name)
{
	struct machine *m = machine_of(k);
	uint64_t address = machine_kallsyms_address(STR(""), name);

	m->why = NULL;
	if (!address && !machine_kallsyms_address(STR(""), STR("init_task")) && machine_kallsyms_address(STR(""), STR("_stext")))
		machine_refuse(m, "this kernel lists its functions only, not its variables: it is built without CONFIG_KALLSYMS_ALL");
	return address;
}

/* The id of a cgroup is its file handle (kernfs, since 5.5 also the inode number). */
static uint64_t cgroup_id(struct kernel *k, struct str path, int *err)
{
	union {
		struct file_handle h;
		char room[sizeof(struct file_handle) + CGROUP_HANDLE_BYTES];
	} u = {.h.handle_bytes = CGROUP_HANDLE_BYTES};
	char name[4096];
	int mount_id;
	uint64_t id;

	(void)k;
	*err = ENAMETOOLONG;
	if (snprintf(name, sizeof(name), "%.*s", STR_ARG(path)) >= (int)sizeof(name))
		return 0;
	if (name_to_handle_at(AT_FDCWD, name, &u.h, &mount_id, 0)) {
		*err = errno == EOVERFLOW ? EINVAL : errno; /* another kind of file system */
		return 0;
	}
	*err = 0;
	memcpy(&id, u.room + offsetof(struct file_handle, f_handle), sizeof(id));
	return id;
}

static char *read_shipped(struct arena *a, struct str path, size_t *size, int *err)
{
	struct str text = shipped_file(str_sub(path, strlen(SHIPPED_DIR "/"), path.n));

	*err = ENOENT;
	*size = text.n;
	return text.n ? str_c(a, text) : NULL;
}

static char *read_file(struct kernel *k, struct arena *a, struct str path, size_t *size, int *err)
{
	char *name = str_c(a, path), *text, *copy;
	struct stat st;

	(void)k;
	if (str_starts(path, STR(SHIPPED_DIR)))
		return read_shipped(a, path, size, err);
	if (stat(name, &st)) {
		*err = errno;
		return NULL;
	}
	if (!S_ISREG(st.st_mode) || st.st_size > MAX_SCRIPT_FILE) {
		*err = S_ISDIR(st.st_mode) ? EISDIR : S_ISREG(st.st_mode) ? EFBIG : EINVAL;
		return NULL;
	}
	text = machine_read_text(name, size, err);
	if (!text)
		return NULL;
	copy = str_c(a, (struct str){text, *size});
	free(text);
	return copy;
}

static int by_name(const void *a, const void *b)
{
	return str_cmp(*(const struct str *)a, *(const struct str *)b);
}

static int list_dir(struct kernel *k, struct arena *a, struct str path, struct str **names)
{
	DIR *dir = opendir(str_c(a, path));
	VEC(struct str) all = {0};
	struct dirent *entry;
	struct stat st;
	int err = 0;

	(void)k;
	if (!dir)
		return -errno;
	if (fstat(dirfd(dir), &st))
		err = -errno;
	else if (st.st_mode & S_IWOTH)
		err = -EPERM;
	while (!err && (entry = readdir(dir)))
		if (!fstatat(dirfd(dir), entry->d_name, &st, 0) && S_ISREG(st.st_mode))
			VEC_PUSH(a, &all, str_copy(a, str_of(entry->d_name)));
	closedir(dir);
	if (err)
		return err;
	if (all.n)
		qsort(all.at, (size_t)all.n, sizeof(*all.at), by_name);
	*names = all.at;
	return all.n;
}

static int possible_cpus(void)
{
	char text[256], *p = text;
	int fd = open("/sys/devices/system/cpu/possible", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd >= 0 ? read(fd, text, sizeof(text) - 1) : -1;
	long last = 0;

	if (fd >= 0)
		close(fd);
	if (n <= 0)
		return (int)sysconf(_SC_NPROCESSORS_CONF);
	text[n] = '\0';
	while (*p) { /* "0-3,8-11": per-CPU values are there up to the last */
		if (*p >= '0' && *p <= '9')
			last = strtol(p, &p, 10);
		else
			p++;
	}
	return (int)last + 1;
}

struct kernel *kernel_open(struct arena *a, const struct kernel_options *opt)
{
	struct machine *m = NEW(a, struct machine);

	m->arena = m->user_named.arena = a;
	if (opt)
		m->opt = *opt;
	m->k = (struct kernel){
		.type_by_name = kernel_type_by_name,
		.user_type_by_name = user_type_by_name,
		.enum_constant = kernel_enum_constant,
		.args_of = args_of,
		.each_probe = each_probe,
		.has = kernel_has,
		.symbol_address = symbol_address,
		.user_symbol = kernel_user_symbol,
		.user_places = kernel_user_places,
		.kfunc = kernel_kfunc,
		.cgroup_id = cgroup_id,
		.read_file = read_file,
		.list_dir = list_dir,
		.near_probes = near_probes,
		.near_types = kernel_near_types,
		.closed = kernel_closed,
		.why = last_why,
		.ncpus = possible_cpus(),
		.self_pid = getpid(),
	};
	return &m->k;
}

void kernel_close(struct kernel *k)
{
	struct machine *m;

	if (!k)
		return;
	m = machine_of(k);
	machine_btf_close(m);
	machine_functions_free(m);
	user_images_close(k);
	user_types_close(m);
	free(m->events);
}
