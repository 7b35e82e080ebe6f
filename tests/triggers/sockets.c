/*
 * sockets binds|unix: calls on sockets with known outcomes; each prints what chance has chosen.
 *
 * - binds: TCP on 127.0.0.1 with SO_REUSEADDR and SO_REUSEPORT, which then listens (backlog 5); UDP on ::1; TCP on 192.0.2.1 with
 *   IP_FREEBIND and IP_BIND_ADDRESS_NO_PORT; TCP on 192.0.2.1 without, which fails
 * - unix: a stream connection to ./wt.socket with 100 bytes there and 7 back; a datagram of 50 bytes to the abstract name
 *   wt-datagram, with sendto(); 10 bytes through a socket pair; a connection to ./nobody, which fails
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#ifndef IP_BIND_ADDRESS_NO_PORT
#define IP_BIND_ADDRESS_NO_PORT 24
#endif

#define CHECK(what)                                                                                \
	do {                                                                                       \
		if (!(what)) {                                                                     \
			perror(#what);                                                             \
			_exit(1);                                                                  \
		}                                                                                  \
	} while (0)

static char block[128];

static void set(int fd, int level, int option)
{
	int one = 1;

	CHECK(!setsockopt(fd, level, option, &one, sizeof(one)));
}

static int bind_four(const char *address, int fd)
{
	struct sockaddr_in a = {.sin_family = AF_INET};

	inet_pton(AF_INET, address, &a.sin_addr);
	return bind(fd, (struct sockaddr *)&a, sizeof(a));
}

static void binds(void)
{
	struct sockaddr_in6 six = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	struct sockaddr_in four;
	socklen_t size = sizeof(four);
	int a = socket(AF_INET, SOCK_STREAM, 0), b = socket(AF_INET6, SOCK_DGRAM, 0),
	    c = socket(AF_INET, SOCK_STREAM, 0), d = socket(AF_INET, SOCK_STREAM, 0);

	set(a, SOL_SOCKET, SO_REUSEADDR);
	set(a, SOL_SOCKET, SO_REUSEPORT);
	CHECK(!bind_four("127.0.0.1", a));
	CHECK(!getsockname(a, (struct sockaddr *)&four, &size));
	printf("port %d\n", ntohs(four.sin_port));
	CHECK(!listen(a, 5));
	CHECK(!bind(b, (struct sockaddr *)&six, sizeof(six)));
	set(c, IPPROTO_IP, IP_FREEBIND);
	set(c, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT);
	CHECK(!bind_four("192.0.2.1", c));
	CHECK(bind_four("192.0.2.1", d));
}

static void unix_sockets(void)
{
	struct sockaddr_un file = {AF_UNIX, "wt.socket"}, nobody = {AF_UNIX, "nobody"},
			   name = {AF_UNIX, "\0wt-datagram"};
	socklen_t length = offsetof(struct sockaddr_un, sun_path) + 1 + strlen("wt-datagram");
	int server = socket(AF_UNIX, SOCK_STREAM, 0), client = socket(AF_UNIX, SOCK_STREAM, 0),
	    to = socket(AF_UNIX, SOCK_DGRAM, 0), from = socket(AF_UNIX, SOCK_DGRAM, 0), pair[2], fd;

	CHECK(!bind(server, (struct sockaddr *)&file, sizeof(file)) && !listen(server, 1));
	CHECK(!connect(client, (struct sockaddr *)&file, sizeof(file)));
	CHECK((fd = accept(server, NULL, NULL)) >= 0);
	CHECK(write(client, block, 100) == 100 && read(fd, block, 100) == 100);
	CHECK(write(fd, block, 7) == 7 && read(client, block, 100) == 7);
	CHECK(!bind(to, (struct sockaddr *)&name, length));
	CHECK(sendto(from, block, 50, 0, (struct sockaddr *)&name, length) == 50);
	CHECK(!socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair) && write(pair[0], block, 10) == 10);
	CHECK(connect(socket(AF_UNIX, SOCK_STREAM, 0), (struct sockaddr *)&nobody, sizeof(nobody)));
	unlink("wt.socket");
	printf("pid %d\n", getpid());
}

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "binds")) {
		binds();
	} else if (argc == 2 && !strcmp(argv[1], "unix")) {
		unix_sockets();
	} else {
		fprintf(stderr, "sockets binds|unix\n");
		return 1;
	}
	return 0;
}
