/* usdt: static probes of programs.  Each place of a probe is a uprobe; its semaphore is counted up by the kernel for as long as
 * the probe is attached.  Where the arguments are at each place is told to the program through a map (codegen/usdt.h). */
#include <errno.h>
#include <stdio.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "codegen/usdt.h"
#include "runtime/machine.h"
#include "runtime/providers/providers.h"
#include "runtime/usdt.h"
#include "runtime/user_paths.h"
#include "runtime/user_symbols.h"

/* ---- names --------------------------------------------------------------------------------------------------------- */

static bool fits(const struct probe_spec *pattern, const struct usdt_note *note)
{
	return (!pattern->provider.n || str_match(pattern->provider, note->provider)) && str_match(pattern->function, note->name);
}

/* Several places are one probe. */
static bool is_repeated(const usdt_list *notes, const struct usdt_note *note)
{
	VEC_EACH (n, notes) {
		if (n == note)
			return false;
		if (str_eq(n->provider, note->provider) && str_eq(n->name, note->name))
			return true;
	}
	return false;
}

static int list_image(struct arena *a, const struct probe_spec *pattern, struct str path, const struct elf_image *e, probe_name_fn fn,
		      void *arg, bool *stopped)
{
	usdt_list notes = {0};
	int n = 0;

	usdt_read(a, e, &notes);
	VEC_EACH (note, &notes) {
		struct probe_spec full = *pattern;

		if (!fits(pattern, note) || is_repeated(&notes, note))
			continue;
		full.path = path;
		full.provider = note->provider;
		full.function = note->name;
		full.is_pattern = false;
		probe_spec_name(a, &full);
		n++;
		if (!fn(&full, arg)) {
			*stopped = true;
			break;
		}
	}
	return n;
}

static int list(struct kernel *k, struct arena *a, const struct probe_spec *pattern, probe_name_fn fn, void *arg)
{
	struct machine *m = machine_of(k);
	int pid = user_spec_pid(k, pattern), n = 0;
	path_list paths = {0};
	const char *why = NULL;
	bool stopped = false;

	user_paths(a, pattern->path, pid, 0, &paths, &why);
	if (!paths.n) {
		machine_refuse(m, "%s", why);
		return -ENOENT;
	}
	VEC_EACH (path, &paths) {
		struct elf_image *e = stopped ? NULL : user_image(k, path->s, pid, &why);

		if (e)
			n += list_image(a, pattern, *path, e, fn, arg, &stopped);
		else if (paths.n == 1)
			machine_refuse(m, "%s", why);
	}
	if (!n && !m->why)
		machine_refuse(m, "'%.*s' has no such static probe", STR_ARG(pattern->path));
	return n;
}

static void near(struct kernel *k, const struct probe_spec *spec, struct diag_near *n)
{
	struct arena *scratch = arena_new();
	path_list paths = {0};
	const char *why;

	user_paths(scratch, spec->path, user_spec_pid(k, spec), 0, &paths, &why);
	VEC_EACH (path, &paths) {
		struct elf_image *e = user_image(k, path->s, user_spec_pid(k, spec), &why);
		usdt_list notes = {0};

		if (e)
			usdt_read(machine_of(k)->arena, e, &notes);
		VEC_EACH (note, &notes)
			diag_near_try(n, note->name);
	}
	arena_free(scratch);
}

/* ---- attaching ----------------------------------------------------------------------------------------------------- */

/* The map of places, found among those that the program uses; -1 when it reads no argument. */
static int places_map(const struct live_probe *p)
{
	uint32_t ids[64] = {0}, length = sizeof(struct bpf_prog_info), i;
	struct bpf_prog_info info;

	memset(&info, 0, sizeof(info));
	info.map_ids = (uint64_t)(uintptr_t)ids;
	info.nr_map_ids = 64;
	if (bpf_obj_get_info_by_fd(bpf_program__fd(p->prog), &info, &length))
		return -1;
	for (i = 0; i < info.nr_map_ids && i < 64; i++) {
		struct bpf_map_info map;
		int fd = bpf_map_get_fd_by_id(ids[i]);

		if (fd < 0)
			continue;
		length = sizeof(map);
		memset(&map, 0, sizeof(map));
		if (!bpf_obj_get_info_by_fd(fd, &map, &length) && !strcmp(map.name, ELF_USDT))
			return fd;
		close(fd);
	}
	return -1;
}

/* A cookie that no other place has: the offset in the file, mixed with the program's number. */
static uint32_t cookie_of(uint32_t program, uint64_t offset)
{
	return (uint32_t)((offset ^ offset >> 32) * 0x9e3779b1u) ^ program * 0x85ebca6bu;
}

static int prepare(struct live_probe *p, struct attach_env *env)
{
	(void)env;
	return bpf_program__set_type(p->prog, BPF_PROG_TYPE_KPROBE);
}

/* Tell where this place keeps its arguments.  0, -EEXIST when another place has the same key but other arguments. */
static int tell_place(int map, uint32_t key, const struct usdt_place *place)
{
	struct usdt_place known;

	if (map < 0)
		return 0;
	if (!bpf_map_lookup_elem(map, &key, &known))
		return memcmp(&known, place, sizeof(known)) ? -EEXIST : 0;
	return bpf_map_update_elem(map, &key, place, BPF_ANY);
}

/* The script reads arguments (there is a map for them), and one of this place cannot be had: it is 0.  Said once a probe. */
static void warn_unreadable(struct live_probe *p, const struct probe_spec *spec, const struct usdt_note *note,
			    const struct usdt_place *place)
{
	uint32_t i = 0;

	while (i < place->nargs && place->args[i].kind != USDT_ARG_NONE)
		i++;
	if (!p->own)
		fprintf(stderr, "WARNING: arg%u of %.*s cannot be read and is 0: it is told to be at '%.*s'\n", i, STR_ARG(spec->text),
			STR_ARG(note->args));
	p->own = p;
}

static int attach_note(struct live_probe *p, struct attach_env *env, int point, int map, uint32_t number,
		       const struct usdt_note *note, const struct elf_image *e)
{
	const struct probe_spec *spec = p->row->attach.at[point];
	bool cookies = env->kernel->has(env->kernel, KERNEL_FUNC_IP);
	int pid = spec->pid ? spec->pid : env->pid, err;
	struct usdt_place place;
	uint64_t address = 0;
	uint32_t key;

	elf_offset_to_address(e, note->offset, &address);
	if (!usdt_parse_args(note->args, &(struct usdt_scope){e, address}, &place) && map >= 0)
		warn_unreadable(p, spec, note, &place);
	if (p->row->uses_place)
		place.address = address;
	key = cookies ? cookie_of(number, note->offset) : usdt_key(number, address);
	while ((err = tell_place(map, key, &place)) == -EEXIST && cookies)
		key++;
	if (err)
		return err;
	return uprobe_attach_offset(p, env, user_path_for(env->arena, str_c(env->arena, spec->path), pid), note->offset,
				    note->semaphore, pid, false, key);
}

static int attach_point(struct live_probe *p, struct attach_env *env, int point, int map, uint32_t number)
{
	const struct probe_spec *spec = p->row->attach.at[point];
	const char *why = NULL;
	struct elf_image *e = user_image(env->kernel, str_c(env->arena, spec->path), spec->pid ? spec->pid : env->pid, &why);
	usdt_list notes = {0};
	int err = -ENOENT;

	if (e)
		usdt_read(env->arena, e, &notes);
	VEC_EACH (note, &notes) {
		if (!str_eq(note->name, spec->function) || (spec->provider.n && !str_eq(note->provider, spec->provider)))
			continue;
		err = attach_note(p, env, point, map, number, note, e);
		if (err)
			break;
	}
	if (!err) {
		probe_point_ok(p, point);
		return 0;
	}
	probe_point_failed(p, point, -err,
			   why		    ? why
			   : err == -EEXIST ? "two places of this probe cannot be told apart on this kernel (5.15 can)"
			   : err == -ENOENT ? "the file has no such static probe"
					    : NULL,
			   NULL);
	return err;
}

static int attach(struct live_probe *p, struct attach_env *env)
{
	int map = places_map(p), i, n = 0;

	for (i = 0; i < p->row->attach.n; i++)
		n += !attach_point(p, env, i, map, (uint32_t)p->number);
	if (map >= 0)
		close(map);
	return n;
}

const struct provider provider_usdt = {
	.kind = PROBE_USDT, .list = list, .near = near, .prepare = prepare, .attach = attach};
