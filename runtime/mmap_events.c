/* perf rings of every CPU with PERF_RECORD_MMAP2, COMM (exec), FORK and EXIT (include/uapi/linux/perf_event.h).
 * Records of different CPUs are taken in order of time, so that a fork is known before what the child maps. */
#include "runtime/mmap_events.h"

#include <errno.h>
#include <linux/perf_event.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "lang/support/vec.h"

enum { RING_PAGES = 32, MAX_CPUS = 1024, MISC_MMAP_BUILD_ID = 1 << 14 };

struct ring {
	int fd;
	struct perf_event_mmap_page *head;
	uint8_t *data;
	uint64_t size;
};

/* One record, copied out of its ring. */
struct record {
	uint64_t time;
	const struct perf_event_header *h;
};

struct mmap_events {
	struct processes *processes;
	struct ring *rings;
	int nrings, epoll;
	uint64_t lost;
	struct arena *scratch;
	VEC(struct record) records;
};

static int open_ring(struct ring *r, int pid, int cpu)
{
	struct perf_event_attr attr = {
		.type = PERF_TYPE_SOFTWARE,
		.config = PERF_COUNT_SW_DUMMY,
		.size = sizeof(attr),
		.sample_period = 1,
		.sample_type = PERF_SAMPLE_TID | PERF_SAMPLE_TIME,
		.sample_id_all = 1,
		.mmap = 1,
		.mmap2 = 1,
		.comm = 1,
		.comm_exec = 1,
		.task = 1,
		.watermark = 1,
		.wakeup_watermark = 4096,
		.disabled = 1,
	};
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	void *map;

	if (pid > 0)
		attr.inherit = 1;
	attr.build_id = 1; /* from 5.12 on; before it inodes are told */
	r->fd = (int)syscall(__NR_perf_event_open, &attr, pid > 0 ? pid : -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);
	if (r->fd < 0 && errno == EINVAL) {
		attr.build_id = 0;
		r->fd = (int)syscall(__NR_perf_event_open, &attr, pid > 0 ? pid : -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);
	}
	if (r->fd < 0)
		return -errno;
	r->size = RING_PAGES * page;
	map = mmap(NULL, r->size + page, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, 0);
	if (map == MAP_FAILED) {
		int err = -errno;

		close(r->fd);
		return err;
	}
	r->head = map;
	r->data = (uint8_t *)map + page;
	return ioctl(r->fd, PERF_EVENT_IOC_ENABLE, 0) ? -errno : 0;
}

struct mmap_events *mmap_events_open(struct processes *p, int pid, int *err)
{
	struct mmap_events *e = calloc(1, sizeof(*e));
	long cpus = sysconf(_SC_NPROCESSORS_CONF), cpu;

	*err = -ENOMEM;
	if (!e)
		return NULL;
	e->processes = p;
	e->scratch = arena_new();
	e->epoll = epoll_create1(EPOLL_CLOEXEC);
	e->rings = calloc(MAX_CPUS, sizeof(*e->rings));
	for (cpu = 0; e->rings && cpu < cpus && cpu < MAX_CPUS; cpu++) {
		struct ring *r = &e->rings[e->nrings];
		struct epoll_event event = {.events = EPOLLIN};

		*err = open_ring(r, pid, (int)cpu);
		if (*err == -ENODEV)
			continue; /* this CPU is offline */
		if (*err)
			break;
		e->nrings++;
		if (epoll_ctl(e->epoll, EPOLL_CTL_ADD, r->fd, &event)) {
			*err = -errno;
			break;
		}
	}
	if (e->nrings && (!*err || *err == -ENODEV)) {
		*err = 0;
		return e;
	}
	mmap_events_close(e);
	return NULL;
}

void mmap_events_close(struct mmap_events *e)
{
	int i;

	if (!e)
		return;
	for (i = 0; i < e->nrings; i++) {
		munmap(e->rings[i].head, e->rings[i].size + (size_t)sysconf(_SC_PAGESIZE));
		close(e->rings[i].fd);
	}
	if (e->epoll >= 0)
		close(e->epoll);
	free(e->rings);
	arena_free(e->scratch);
	free(e);
}

int mmap_events_fd(const struct mmap_events *e)
{
	return e->epoll;
}

uint64_t mmap_events_lost(const struct mmap_events *e)
{
	return e->lost;
}

/* Copy what a ring holds; records that wrap around become whole that way. */
static void drain(struct mmap_events *e, struct ring *r)
{
	uint64_t head = __atomic_load_n(&r->head->data_head, __ATOMIC_ACQUIRE), tail = r->head->data_tail, n = head - tail, at, i;
	uint8_t *copy;

	if (!n || n > r->size)
		goto done;
	copy = arena_alloc(e->scratch, n + 8);
	for (i = 0; i < n;) {
		uint64_t from = (tail + i) % r->size, part = r->size - from < n - i ? r->size - from : n - i;

		memcpy(copy + i, r->data + from, part);
		i += part;
	}
	for (at = 0; n - at >= sizeof(struct perf_event_header);) {
		const struct perf_event_header *h = (const void *)(copy + at);
		struct record rec = {.h = h};

		if (h->size < sizeof(*h) + 16 || h->size > n - at)
			break;
		/* sample_id: { u32 pid, tid; u64 time; } at the end of every record */
		memcpy(&rec.time, copy + at + h->size - 8, 8);
		VEC_PUSH(e->scratch, &e->records, rec);
		at += h->size;
	}
done:
	__atomic_store_n(&r->head->data_tail, head, __ATOMIC_RELEASE);
}

static int compare_time(const void *left, const void *right)
{
	const struct record *a = left, *b = right;

	if (a->time != b->time)
		return a->time < b->time ? -1 : 1;
	return a->h < b->h ? -1 : a->h > b->h;
}

struct mmap2_record {
	struct perf_event_header h;
	uint32_t pid, tid;
	uint64_t address, length, offset;
	union {
		struct {
			uint32_t major, minor;
			uint64_t inode, generation;
		};
		struct {
			uint8_t build_id_size, reserved[3];
			uint8_t build_id[BUILD_ID_MAX];
		};
	};
	uint32_t protection, flags;
	char name[];
};

struct task_record { /* FORK, EXIT */
	struct perf_event_header h;
	uint32_t pid, ppid, tid, ptid;
};

struct comm_record {
	struct perf_event_header h;
	uint32_t pid, tid;
};

static void take_mmap(struct mmap_events *e, const struct mmap2_record *m)
{
	size_t room = m->h.size - sizeof(*m);
	struct recorded_mapping r;

	if (m->h.size < sizeof(*m) + 16 || !(m->protection & PROT_EXEC))
		return;
	r = (struct recorded_mapping){
		.start = m->address, .length = m->length, .offset = m->offset, .path = {m->name, strnlen(m->name, room)}};
	if (m->h.misc & MISC_MMAP_BUILD_ID) {
		r.build_id_size = m->build_id_size > BUILD_ID_MAX ? BUILD_ID_MAX : m->build_id_size;
		memcpy(r.build_id, m->build_id, sizeof(r.build_id));
	} else {
		r.dev = makedev(m->major, m->minor);
		r.ino = m->inode;
	}
	processes_mapped(e->processes, m->pid, &r);
}

static void take(struct mmap_events *e, const struct perf_event_header *h)
{
	const struct task_record *task = (const void *)h;

	switch (h->type) {
	case PERF_RECORD_MMAP2:
		take_mmap(e, (const void *)h);
		break;
	case PERF_RECORD_FORK:
		if (h->size >= sizeof(*task) && task->pid != task->ppid)
			processes_forked(e->processes, task->ppid, task->pid);
		break;
	case PERF_RECORD_EXIT:
		if (h->size >= sizeof(*task) && task->pid == task->tid)
			processes_exited(e->processes, task->pid);
		break;
	case PERF_RECORD_COMM:
		if (h->misc & PERF_RECORD_MISC_COMM_EXEC && h->size >= sizeof(struct comm_record))
			processes_execed(e->processes, ((const struct comm_record *)(const void *)h)->pid);
		break;
	case PERF_RECORD_LOST:
		e->lost++;
		break;
	}
}

void mmap_events_serve(struct mmap_events *e)
{
	int i;

	e->records.at = NULL;
	e->records.n = e->records.cap = 0;
	for (i = 0; i < e->nrings; i++)
		drain(e, &e->rings[i]);
	if (e->records.n)
		qsort(e->records.at, (size_t)e->records.n, sizeof(*e->records.at), compare_time);
	for (i = 0; i < e->records.n; i++)
		take(e, e->records.at[i].h);
	arena_reset(e->scratch);
}
