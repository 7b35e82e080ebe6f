/*
 * ssltalk: functions called as those of OpenSSL are, in this program itself.  A handshake; "request" is written and "response"
 * read, by the old functions and the new ones; reads that fail; a write of 5000 bytes; bytes that are no text.
 */
#include <stddef.h>
#include <string.h>

#define CALLED __attribute__((noinline, used))

CALLED int SSL_do_handshake(void *ssl)
{
	return ssl ? 1 : -1;
}

CALLED int SSL_write(void *ssl, const void *buf, int num)
{
	return ssl && buf ? num : -1;
}

CALLED int SSL_read(void *ssl, void *buf, int num)
{
	if (!ssl || num < 8)
		return -1;
	memcpy(buf, "response", 8);
	return 8;
}

CALLED int SSL_write_ex(void *ssl, const void *buf, size_t num, size_t *written)
{
	*written = num;
	return ssl && buf ? 1 : 0;
}

CALLED int SSL_read_ex(void *ssl, void *buf, size_t num, size_t *readbytes)
{
	if (!ssl || num < 8)
		return 0;
	memcpy(buf, "RESPONSE", 8);
	*readbytes = 8;
	return 1;
}

int main(void)
{
	static char buffer[5000], bytes[4] = {1, 2, 0, -1};
	void *ssl = buffer;
	size_t n;

	SSL_do_handshake(ssl);
	SSL_write(ssl, "request", 7);
	SSL_read(ssl, buffer, sizeof(buffer));
	SSL_read(NULL, buffer, sizeof(buffer));
	SSL_write_ex(ssl, "REQUEST", 7, &n);
	SSL_read_ex(ssl, buffer, sizeof(buffer), &n);
	SSL_read_ex(NULL, buffer, sizeof(buffer), &n);
	memset(buffer, 'x', sizeof(buffer));
	SSL_write(ssl, buffer, sizeof(buffer));
	SSL_write(ssl, bytes, sizeof(bytes));
	return 0;
}
