/*
 * dns [-6]: asks a name server of its own (a child, port 5300 of 127.0.0.1 or ::1) for A of www.example.com, which has 2, AAAA of
 * nosuch.example.com, which there is not, PTR of a name of ten parts, and TXT of silent.example.com, which is not answered.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
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

/* Answers carry a header and the question; the records that they promise are left out. */
static void serve(int fd)
{
	for (;;) {
		uint8_t packet[512];
		struct sockaddr_in6 from;
		socklen_t size = sizeof(from);
		ssize_t n = recvfrom(fd, packet, sizeof(packet), 0, (struct sockaddr *)&from, &size);

		CHECK(n > 12);
		packet[2] |= 0x80;
		if (packet[13] == 's') /* silent */
			continue;
		if (packet[13] == 'n') /* nosuch */
			packet[3] |= 3;
		else
			packet[7] = packet[13] == 'w' ? 2 : 1;
		CHECK(sendto(fd, packet, n, 0, (struct sockaddr *)&from, size) == n);
	}
}

static void ask(int fd, const char *name, int type, uint8_t id, int answered)
{
	uint8_t packet[512] = {0, id, 1, 0, 0, 1}, *p = packet + 12;

	while (*name) {
		size_t n = strcspn(name, ".");

		*p++ = (uint8_t)n;
		memcpy(p, name, n);
		p += n;
		name += n + (name[n] == '.');
	}
	*p++ = 0;
	*p++ = 0;
	*p++ = (uint8_t)type;
	*p++ = 0;
	*p++ = 1;
	CHECK(send(fd, packet, p - packet, 0) == p - packet);
	if (answered)
		CHECK(recv(fd, packet, sizeof(packet), 0) > 0);
}

int main(int argc, char **argv)
{
	int six = argc > 1 && !strcmp(argv[1], "-6"), family = six ? AF_INET6 : AF_INET, fd;
	struct sockaddr_in6 a6 = {.sin6_family = AF_INET6, .sin6_port = htons(5300), .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	struct sockaddr_in a4 = {.sin_family = AF_INET, .sin_port = htons(5300), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr *address = six ? (struct sockaddr *)&a6 : (struct sockaddr *)&a4;
	socklen_t size = six ? sizeof(a6) : sizeof(a4);
	pid_t pid;

	fd = socket(family, SOCK_DGRAM, 0);
	CHECK(fd >= 0 && !bind(fd, address, size));
	pid = fork();
	if (!pid) {
		prctl(PR_SET_NAME, "dnsserver");
		serve(fd);
	}
	close(fd);
	fd = socket(family, SOCK_DGRAM, 0);
	CHECK(fd >= 0 && !connect(fd, address, size));
	ask(fd, "www.example.com", 1, 1, 1);
	ask(fd, "nosuch.example.com", 28, 2, 1);
	ask(fd, "1.2.3.4.5.6.7.8.9.10", 12, 3, 1);
	ask(fd, "silent.example.com", 16, 4, 0);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	return 0;
}
