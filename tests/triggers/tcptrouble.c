/*
 * tcptrouble WHAT [N]: TCP that does not go well, over 127.0.0.1, with a known outcome.
 *
 * - refused N: N connections to a port where nobody listens, the number of which it prints
 * - unanswered: a connection to a socket whose queue is full; its SYN is sent twice (ETIMEDOUT after some seconds)
 * - lost: a connection whose receiver drops what it gets until it was sent again; prints how many segments were
 * - backlog N: N connections that nobody accepts, to a socket that has room for 7
 */
#include <arpa/inet.h>
#include <errno.h>
#include <linux/filter.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CHECK(what)                                                                                \
	do {                                                                                       \
		if (!(what)) {                                                                     \
			perror(#what);                                                             \
			_exit(1);                                                                  \
		}                                                                                  \
	} while (0)

static struct sockaddr_in address;
static socklen_t size = sizeof(address);

/* A socket bound to a free port of 127.0.0.1, which `address` has then; listens when backlog is not negative. */
static int server(int backlog)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	CHECK(fd >= 0);
	address.sin_family = AF_INET;
	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	CHECK(!bind(fd, (struct sockaddr *)&address, size));
	CHECK(!getsockname(fd, (struct sockaddr *)&address, &size));
	CHECK(backlog < 0 || !listen(fd, backlog));
	return fd;
}

static int client(int syns)
{
	int fd = socket(AF_INET, SOCK_STREAM, 0);

	CHECK(fd >= 0);
	CHECK(!syns || !setsockopt(fd, IPPROTO_TCP, TCP_SYNCNT, &syns, sizeof(syns)));
	if (connect(fd, (struct sockaddr *)&address, size)) {
		close(fd);
		return -1;
	}
	return fd;
}

/* A socket that is bound but does not listen keeps the port from being given to others. */
static void refused(long n)
{
	server(-1);
	printf("port %d\n", ntohs(address.sin_port));
	for (; n > 0; n--)
		CHECK(client(0) < 0 && errno == ECONNREFUSED);
}

static void unanswered(void)
{
	struct pollfd queue = {.fd = server(0), .events = POLLIN};

	printf("port %d\n", ntohs(address.sin_port));
	CHECK(client(0) >= 0);
	CHECK(poll(&queue, 1, -1) == 1); /* only when it stands in the queue is that full */
	CHECK(client(1) < 0 && errno == ETIMEDOUT);
}

static unsigned int retransmitted(int fd)
{
	struct tcp_info info;
	socklen_t n = sizeof(info);

	CHECK(!getsockopt(fd, IPPROTO_TCP, TCP_INFO, &info, &n));
	return info.tcpi_total_retrans;
}

static void lost(void)
{
	struct sock_filter none = BPF_STMT(BPF_RET | BPF_K, 0);
	struct sock_fprog filter = {.len = 1, .filter = &none};
	int s = server(1), from = client(0), to, zero = 0;
	char buffer[100] = "";

	printf("port %d\n", ntohs(address.sin_port));
	CHECK(from >= 0);
	CHECK((to = accept(s, NULL, NULL)) >= 0);
	CHECK(!setsockopt(to, SOL_SOCKET, SO_ATTACH_FILTER, &filter, sizeof(filter)));
	CHECK(send(from, buffer, sizeof(buffer), 0) == sizeof(buffer));
	while (!retransmitted(from))
		usleep(10000);
	CHECK(!setsockopt(to, SOL_SOCKET, SO_DETACH_FILTER, &zero, sizeof(zero)));
	CHECK(recv(to, buffer, sizeof(buffer), MSG_WAITALL) == sizeof(buffer));
	printf("retransmitted %u\n", retransmitted(from));
}

static void backlog(long n)
{
	server(7);
	printf("port %d\n", ntohs(address.sin_port));
	for (; n > 0; n--)
		CHECK(client(0) >= 0);
}

int main(int argc, char **argv)
{
	const char *what = argc > 1 ? argv[1] : "";
	long n = argc > 2 ? atol(argv[2]) : 1;

	if (!strcmp(what, "refused")) {
		refused(n);
	} else if (!strcmp(what, "unanswered")) {
		unanswered();
	} else if (!strcmp(what, "lost")) {
		lost();
	} else if (!strcmp(what, "backlog")) {
		backlog(n);
	} else {
		fprintf(stderr, "tcptrouble refused N | unanswered | lost | backlog N\n");
		return 1;
	}
	return 0;
}
