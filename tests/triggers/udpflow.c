/*
 * udpflow [-6|-m] [-c] SIZE N: N datagrams of SIZE bytes over loopback from this process, "udpclient", to its child, "udpserver",
 * which answers each with one byte.  Over IPv4, or
 *
 * - -6: IPv6 (::1)
 * - -m: an IPv4 address mapped into IPv6 (::ffff:127.0.0.1)
 * - -c: the client's socket is connected
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
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

static char block[65536];

static void serve(int fd, long n)
{
	for (; n > 0; n--) {
		struct sockaddr_in6 from;
		socklen_t size = sizeof(from);

		/* Looking at it does not take it. */
		CHECK(recv(fd, block, sizeof(block), MSG_PEEK) >= 0);
		CHECK(recvfrom(fd, block, sizeof(block), 0, (struct sockaddr *)&from, &size) >= 0);
		CHECK(sendto(fd, block, 1, 0, (struct sockaddr *)&from, size) == 1);
	}
}

int main(int argc, char **argv)
{
	int six = 0, mapped = 0, connected = 0, option, server, fd, status = 1;
	struct sockaddr_in6 a6 = {.sin6_family = AF_INET6};
	struct sockaddr_in a4 = {.sin_family = AF_INET};
	struct sockaddr *address;
	socklen_t size;
	long bytes, n;
	pid_t pid;

	while ((option = getopt(argc, argv, "6mc")) != -1) {
		six |= option == '6' || option == 'm';
		mapped |= option == 'm';
		connected |= option == 'c';
	}
	if (argc - optind < 2) {
		fprintf(stderr, "udpflow [-6|-m] [-c] SIZE N\n");
		return 1;
	}
	bytes = atol(argv[optind]);
	n = atol(argv[optind + 1]);
	inet_pton(AF_INET6, mapped ? "::ffff:127.0.0.1" : "::1", &a6.sin6_addr);
	inet_pton(AF_INET, "127.0.0.1", &a4.sin_addr);
	address = six ? (struct sockaddr *)&a6 : (struct sockaddr *)&a4;
	size = six ? sizeof(a6) : sizeof(a4);
	server = socket(address->sa_family, SOCK_DGRAM, 0);
	CHECK(server >= 0);
	CHECK(!bind(server, address, size));
	CHECK(!getsockname(server, address, &size));
	pid = fork();
	if (!pid) {
		prctl(PR_SET_NAME, "udpserver");
		serve(server, n);
		_exit(0);
	}
	prctl(PR_SET_NAME, "udpclient");
	close(server);
	fd = socket(address->sa_family, SOCK_DGRAM, 0);
	CHECK(fd >= 0);
	CHECK(!connected || !connect(fd, address, size));
	for (; n > 0; n--) {
		CHECK(sendto(fd, block, bytes, 0, connected ? NULL : address, connected ? 0 : size) == bytes);
		CHECK(recv(fd, block, sizeof(block), 0) == 1);
	}
	waitpid(pid, &status, 0);
	return status != 0;
}
