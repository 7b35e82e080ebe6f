/*
 * tcpflow [-6|-m] [-lkcrMpwnfszZ] SENT BACK [N]: N connections over loopback, one after another; on each the client
 * (this process, "tcpclient") sends SENT bytes and gets BACK bytes from its child ("tcpserver").
 * Blocking calls, nothing is lost.  Over IPv4, or
 *
 * - -6: IPv6 (::1)
 * - -m: an IPv4 address mapped into IPv6 (::ffff:127.0.0.1)
 *
 * - -l: all connections stay open until the last one is done
 * - -k: and then, after a line that says "open", until standard input ends
 * - -c: each is served by a process of its own, all on one port
 * - -r: four servers, each with a listening socket of its own on that port (SO_REUSEPORT); the kernel chooses one
 * - -M: MPTCP sockets
 *
 * How the bytes are moved, always as many:
 *
 * - -p: each receive is preceded by a look with MSG_PEEK
 * - -w: received with MSG_WAITALL
 * - -n: sent without blocking: most calls would block and send nothing, or a part
 * - -f: sent with sendfile()
 * - -s: received with splice()
 * - -z: sent with MSG_ZEROCOPY, and its notices taken from the error queue
 * - -Z: received with TCP_ZEROCOPY_RECEIVE where pages can be mapped (with -f they can), the rest by recv()
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#define CHECK(what)                                                                                \
	do {                                                                                       \
		if (!(what)) {                                                                     \
			perror(#what);                                                             \
			_exit(1);                                                                  \
		}                                                                                  \
	} while (0)

#ifndef IPPROTO_MPTCP
#define IPPROTO_MPTCP 262
#endif

enum { SHARERS = 4 }; /* processes that share a port with -r */

static char block[65536];
static int peeks, waits, unblocked, files, splices, uncopied, maps;

static long less(long n)
{
	return n < (long)sizeof(block) ? n : (long)sizeof(block);
}

/* Bytes that one call sent; 0 when it would have blocked. */
static ssize_t send_some(int fd, long n)
{
	static int file = -1;
	off_t from = 0;
	ssize_t k;

	if (files) {
		if (file < 0) {
			file = memfd_create("tcpflow", 0);
			CHECK(file >= 0 && !ftruncate(file, sizeof(block)));
		}
		return sendfile(fd, file, &from, (size_t)less(n));
	}
	if (uncopied) {
		char notice[256];
		struct msghdr message = {.msg_control = notice, .msg_controllen = sizeof(notice)};
		int one = 1;

		CHECK(!setsockopt(fd, SOL_SOCKET, SO_ZEROCOPY, &one, sizeof(one)));
		while (recvmsg(fd, &message, MSG_ERRQUEUE | MSG_DONTWAIT) >= 0)
			message.msg_controllen = sizeof(notice);
		return send(fd, block, (size_t)less(n), MSG_ZEROCOPY);
	}
	k = send(fd, block, (size_t)less(n), unblocked ? MSG_DONTWAIT : 0);
	return k < 0 && unblocked && errno == EAGAIN ? 0 : k;
}

static void give(int fd, long n)
{
	while (n > 0) {
		ssize_t k = send_some(fd, n);

		CHECK(k > 0 || (k == 0 && unblocked));
		n -= k;
	}
}

/* Bytes that could be mapped; *n becomes what must be copied first where none could. */
static ssize_t receive_mapped(int fd, long *n)
{
	static char *window;
	static int window_of = -1;
	struct tcp_zerocopy_receive zc = {.length = sizeof(block)};
	socklen_t size = sizeof(zc);
	char byte;

	if (*n < (long)sizeof(block) || recv(fd, &byte, 1, MSG_PEEK) != 1)
		return 0;
	if (window_of != fd) {
		if (window)
			munmap(window, sizeof(block));
		window = mmap(NULL, sizeof(block), PROT_READ, MAP_SHARED, fd, 0);
		CHECK(window != MAP_FAILED);
		window_of = fd;
	}
	zc.address = (uintptr_t)window;
	CHECK(!getsockopt(fd, IPPROTO_TCP, TCP_ZEROCOPY_RECEIVE, &zc, &size));
	if (zc.length)
		return zc.length;
	if (zc.recv_skip_hint && zc.recv_skip_hint < *n)
		*n = zc.recv_skip_hint;
	return 0;
}

static ssize_t receive_some(int fd, long n)
{
	static int ends[2] = {-1, -1};
	ssize_t k;

	if (splices) {
		if (ends[0] < 0)
			CHECK(!pipe(ends));
		k = splice(fd, NULL, ends[1], NULL, (size_t)less(n), 0);
		CHECK(k <= 0 || read(ends[0], block, (size_t)k) == k);
		return k;
	}
	if (maps && (k = receive_mapped(fd, &n)) > 0)
		return k;
	if (peeks)
		CHECK(recv(fd, block, (size_t)less(n), MSG_PEEK) > 0);
	return recv(fd, block, (size_t)less(n), waits ? MSG_WAITALL : 0);
}

static void take(int fd, long n)
{
	while (n > 0) {
		ssize_t k = receive_some(fd, n);

		CHECK(k > 0);
		n -= k;
	}
}

static union {
	struct sockaddr any;
	struct sockaddr_in four;
	struct sockaddr_in6 six;
} address;
static socklen_t address_size;
static int lasting, kept, children, shared, protocol;

static int new_socket(void)
{
	int fd = socket(address.any.sa_family, SOCK_STREAM, protocol);

	CHECK(fd >= 0);
	return fd;
}

static int listener(void)
{
	int fd = new_socket(), one = 1;

	CHECK(!shared || !setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &one, sizeof(one)));
	CHECK(!bind(fd, &address.any, address_size));
	CHECK(!listen(fd, 64));
	CHECK(!getsockname(fd, &address.any, &address_size));
	return fd;
}

static void serve(int server, long sent, long back, long n)
{
	int fd = -1;
	char byte;

	for (long i = 0; i < n; i++) {
		fd = accept(server, NULL, NULL);
		CHECK(fd >= 0);
		if (!children || !fork()) {
			take(fd, sent);
			give(fd, back);
			if (children)
				_exit(0);
		}
		if (!lasting)
			close(fd);
	}
	while (kept && !children && recv(fd, &byte, 1, 0) > 0) /* until the client has closed it */
		;
	while (wait(NULL) > 0)
		;
	_exit(0);
}

static pid_t start_server(int server, long sent, long back, long n)
{
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (!pid) {
		prctl(PR_SET_NAME, "tcpserver");
		serve(server, sent, back, n);
	}
	close(server);
	return pid;
}

static void connect_all(long sent, long back, long n)
{
	int open_fds[64], nopen = 0;
	char byte;

	for (long i = 0; i < n; i++) {
		int fd = new_socket();

		CHECK(!connect(fd, &address.any, address_size));
		give(fd, sent);
		take(fd, back);
		if (lasting && nopen < 64)
			open_fds[nopen++] = fd;
		else
			close(fd);
	}
	if (kept) {
		printf("open\n");
		fflush(stdout);
		while (read(STDIN_FILENO, &byte, 1) > 0)
			;
	}
	while (nopen)
		close(open_fds[--nopen]);
}

/* An address of the loopback; the port is chosen by the first listener. */
static void set_address(int six, int mapped)
{
	if (six || mapped) {
		address.six.sin6_family = AF_INET6;
		inet_pton(AF_INET6, mapped ? "::ffff:127.0.0.1" : "::1", &address.six.sin6_addr);
		address_size = sizeof(address.six);
	} else {
		address.four.sin_family = AF_INET;
		inet_pton(AF_INET, "127.0.0.1", &address.four.sin_addr);
		address_size = sizeof(address.four);
	}
}

int main(int argc, char **argv)
{
	int six = 0, mapped = 0, option, status = 1, listeners[SHARERS];
	long sent, back, n;
	pid_t pids[SHARERS];

	while ((option = getopt(argc, argv, "6mlkcrMpwnfszZ")) != -1) {
		six |= option == '6';
		mapped |= option == 'm';
		lasting |= option == 'l' || option == 'k';
		kept |= option == 'k';
		children |= option == 'c';
		shared |= option == 'r';
		protocol = option == 'M' ? IPPROTO_MPTCP : protocol;
		peeks |= option == 'p';
		waits |= option == 'w';
		unblocked |= option == 'n';
		files |= option == 'f';
		splices |= option == 's';
		uncopied |= option == 'z';
		maps |= option == 'Z';
	}
	if (argc - optind < 2) {
		fprintf(stderr, "tcpflow [-6|-m] [-lkcrMpwnfszZ] SENT BACK [N]\n");
		return 1;
	}
	sent = atol(argv[optind]);
	back = atol(argv[optind + 1]);
	n = argc - optind > 2 ? atol(argv[optind + 2]) : 1;
	set_address(six, mapped);
	/* All of them listen before any connection is made. */
	for (int i = 0; i < (shared ? SHARERS : 1); i++)
		listeners[i] = listener();
	for (int i = 0; i < (shared ? SHARERS : 1); i++)
		pids[i] = start_server(listeners[i], sent, back, shared ? LONG_MAX : n);
	prctl(PR_SET_NAME, "tcpclient");
	connect_all(sent, back, n);
	/* Nobody knows how many connections the kernel gave to whom. */
	for (int i = 0; i < (shared ? SHARERS : 1); i++) {
		if (shared)
			kill(pids[i], SIGTERM);
		waitpid(pids[i], &status, 0);
	}
	return !shared && status != 0;
}
