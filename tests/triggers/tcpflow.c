/*
 * tcpflow [-6|-m] [-lcMpwnfszZ] SENT BACK [N]: N connections over loopback, one after another; on each the client
 * (this process, "tcpclient") sends SENT bytes and gets BACK bytes from its child ("tcpserver").
 * Blocking calls, nothing is lost.  Over IPv4, or
 *
 * - -6: IPv6 (::1)
 * - -m: an IPv4 address mapped into IPv6 (::ffff:127.0.0.1)
 *
 * - -l: all connections stay open until the last one is done
 * - -c: each is served by a process of its own, all on one port
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
#include <linux/tcp.h>
#include <netinet/in.h>
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

static void serve(int fd, long sent, long back)
{
	take(fd, sent);
	give(fd, back);
}

int main(int argc, char **argv)
{
	int six = 0, mapped = 0, lasting = 0, children = 0, protocol = 0, option, server, status = 1;
	struct sockaddr_in6 a6 = {.sin6_family = AF_INET6};
	struct sockaddr_in a4 = {.sin_family = AF_INET};
	struct sockaddr *address;
	socklen_t size;
	long sent, back, n;
	int open_fds[64], nopen = 0;
	pid_t pid;

	while ((option = getopt(argc, argv, "6mlcMpwnfszZ")) != -1) {
		six |= option == '6' || option == 'm';
		mapped |= option == 'm';
		lasting |= option == 'l';
		children |= option == 'c';
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
		fprintf(stderr, "tcpflow [-6|-m] [-lcMpwnfszZ] SENT BACK [N]\n");
		return 1;
	}
	sent = atol(argv[optind]);
	back = atol(argv[optind + 1]);
	n = argc - optind > 2 ? atol(argv[optind + 2]) : 1;
	inet_pton(AF_INET6, mapped ? "::ffff:127.0.0.1" : "::1", &a6.sin6_addr);
	inet_pton(AF_INET, "127.0.0.1", &a4.sin_addr);
	address = six ? (struct sockaddr *)&a6 : (struct sockaddr *)&a4;
	size = six ? sizeof(a6) : sizeof(a4);
	server = socket(address->sa_family, SOCK_STREAM, protocol);
	CHECK(server >= 0);
	CHECK(!bind(server, address, size));
	CHECK(!listen(server, 64));
	CHECK(!getsockname(server, address, &size));
	pid = fork();
	if (!pid) {
		prctl(PR_SET_NAME, "tcpserver");
		for (long i = 0; i < n; i++) {
			int fd = accept(server, NULL, NULL);

			CHECK(fd >= 0);
			if (!children || !fork()) {
				serve(fd, sent, back);
				if (children)
					_exit(0);
			}
			if (!lasting)
				close(fd);
		}
		while (wait(NULL) > 0)
			;
		_exit(0);
	}
	prctl(PR_SET_NAME, "tcpclient");
	close(server);
	for (long i = 0; i < n; i++) {
		int fd = socket(address->sa_family, SOCK_STREAM, protocol);

		CHECK(fd >= 0);
		CHECK(!connect(fd, address, size));
		give(fd, sent);
		take(fd, back);
		if (lasting && nopen < 64)
			open_fds[nopen++] = fd;
		else
			close(fd);
	}
	while (nopen)
		close(open_fds[--nopen]);
	waitpid(pid, &status, 0);
	return status != 0;
}
