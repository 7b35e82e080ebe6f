/* Headers that are always there, so that `#include <errno.h>` works where no compiler is installed. */
#include "lang/cpp.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>

/* "#define EPERM 1\n": the numbers are those of the machine that this was built for. */
#define QUOTE(value) #value
#define VALUE(name) QUOTE(name)
#define ROW(name) "#define " #name " " VALUE(name) "\n"

static const char errno_h[] =
	ROW(EPERM) ROW(ENOENT) ROW(ESRCH) ROW(EINTR) ROW(EIO) ROW(ENXIO) ROW(E2BIG) ROW(ENOEXEC)
	ROW(EBADF) ROW(ECHILD) ROW(EAGAIN) ROW(EWOULDBLOCK) ROW(ENOMEM) ROW(EACCES) ROW(EFAULT)
	ROW(ENOTBLK) ROW(EBUSY) ROW(EEXIST) ROW(EXDEV) ROW(ENODEV) ROW(ENOTDIR) ROW(EISDIR)
	ROW(EINVAL) ROW(ENFILE) ROW(EMFILE) ROW(ENOTTY) ROW(ETXTBSY) ROW(EFBIG) ROW(ENOSPC)
	ROW(ESPIPE) ROW(EROFS) ROW(EMLINK) ROW(EPIPE) ROW(EDOM) ROW(ERANGE) ROW(EDEADLK)
	ROW(EDEADLOCK) ROW(ENAMETOOLONG) ROW(ENOLCK) ROW(ENOSYS) ROW(ENOTEMPTY) ROW(ELOOP) ROW(ENOMSG)
	ROW(EIDRM) ROW(ECHRNG) ROW(EL2NSYNC) ROW(EL3HLT) ROW(EL3RST) ROW(ELNRNG) ROW(EUNATCH)
	ROW(ENOCSI) ROW(EL2HLT) ROW(EBADE) ROW(EBADR) ROW(EXFULL) ROW(ENOANO) ROW(EBADRQC)
	ROW(EBADSLT) ROW(EBFONT) ROW(ENOSTR) ROW(ENODATA) ROW(ETIME) ROW(ENOSR) ROW(ENONET)
	ROW(ENOPKG) ROW(EREMOTE) ROW(ENOLINK) ROW(EADV) ROW(ESRMNT) ROW(ECOMM) ROW(EPROTO)
	ROW(EMULTIHOP) ROW(EDOTDOT) ROW(EBADMSG) ROW(EOVERFLOW) ROW(ENOTUNIQ) ROW(EBADFD) ROW(EREMCHG)
	ROW(ELIBACC) ROW(ELIBBAD) ROW(ELIBSCN) ROW(ELIBMAX) ROW(ELIBEXEC) ROW(EILSEQ) ROW(ERESTART)
	ROW(ESTRPIPE) ROW(EUSERS) ROW(ENOTSOCK) ROW(EDESTADDRREQ) ROW(EMSGSIZE) ROW(EPROTOTYPE)
	ROW(ENOPROTOOPT) ROW(EPROTONOSUPPORT) ROW(ESOCKTNOSUPPORT) ROW(ENOTSUP) ROW(EOPNOTSUPP)
	ROW(EPFNOSUPPORT) ROW(EAFNOSUPPORT) ROW(EADDRINUSE) ROW(EADDRNOTAVAIL) ROW(ENETDOWN)
	ROW(ENETUNREACH) ROW(ENETRESET) ROW(ECONNABORTED) ROW(ECONNRESET) ROW(ENOBUFS) ROW(EISCONN)
	ROW(ENOTCONN) ROW(ESHUTDOWN) ROW(ETOOMANYREFS) ROW(ETIMEDOUT) ROW(ECONNREFUSED) ROW(EHOSTDOWN)
	ROW(EHOSTUNREACH) ROW(EALREADY) ROW(EINPROGRESS) ROW(ESTALE) ROW(EUCLEAN) ROW(ENOTNAM)
	ROW(ENAVAIL) ROW(EISNAM) ROW(EREMOTEIO) ROW(EDQUOT) ROW(ENOMEDIUM) ROW(EMEDIUMTYPE)
	ROW(ECANCELED) ROW(ENOKEY) ROW(EKEYEXPIRED) ROW(EKEYREVOKED) ROW(EKEYREJECTED) ROW(EOWNERDEAD)
	ROW(ENOTRECOVERABLE) ROW(ERFKILL) ROW(EHWPOISON);

static const char signal_h[] =
	ROW(SIGHUP) ROW(SIGINT) ROW(SIGQUIT) ROW(SIGILL) ROW(SIGTRAP) ROW(SIGABRT) ROW(SIGIOT) ROW(SIGBUS) ROW(SIGFPE)
	ROW(SIGKILL) ROW(SIGUSR1) ROW(SIGSEGV) ROW(SIGUSR2) ROW(SIGPIPE) ROW(SIGALRM) ROW(SIGTERM)
	ROW(SIGSTKFLT) ROW(SIGCHLD) ROW(SIGCONT) ROW(SIGSTOP) ROW(SIGTSTP) ROW(SIGTTIN) ROW(SIGTTOU)
	ROW(SIGURG) ROW(SIGXCPU) ROW(SIGXFSZ) ROW(SIGVTALRM) ROW(SIGPROF) ROW(SIGWINCH) ROW(SIGIO) ROW(SIGPOLL)
	ROW(SIGPWR) ROW(SIGSYS);

#define SYSCALL(name, number) "#define __NR_" #name " " #number "\n#define SYS_" #name " " #number "\n"
static const char syscall_h[] =
#include "syscalls.inc" /* made of the system's headers when configuring */
	;

static const char stdint_h[] =
	"typedef signed char int8_t; typedef short int16_t; typedef int int32_t; typedef long int64_t;\n"
	"typedef unsigned char uint8_t; typedef unsigned short uint16_t; typedef unsigned int uint32_t;\n"
	"typedef unsigned long uint64_t; typedef long intptr_t; typedef unsigned long uintptr_t;\n"
	"typedef long intmax_t; typedef unsigned long uintmax_t;\n"
	"#define INT8_MIN (-128)\n#define INT8_MAX 127\n#define UINT8_MAX 255\n"
	"#define INT16_MIN (-32768)\n#define INT16_MAX 32767\n#define UINT16_MAX 65535\n"
	"#define INT32_MIN (-2147483648)\n#define INT32_MAX 2147483647\n#define UINT32_MAX 4294967295\n"
	"#define INT64_MIN (-9223372036854775807-1)\n#define INT64_MAX 9223372036854775807\n"
	"#define UINT64_MAX 18446744073709551615u\n#define SIZE_MAX 18446744073709551615u\n";

static const char stddef_h[] =
	"typedef unsigned long size_t; typedef long ptrdiff_t; typedef int wchar_t;\n"
	"#define NULL 0\n";

static const char stdbool_h[] = "#define bool _Bool\n#define true 1\n#define false 0\n";

static const char limits_h[] =
	"#define CHAR_BIT 8\n#define CHAR_MIN (-128)\n#define CHAR_MAX 127\n#define SCHAR_MIN (-128)\n"
	"#define SCHAR_MAX 127\n#define UCHAR_MAX 255\n#define SHRT_MIN (-32768)\n#define SHRT_MAX 32767\n"
	"#define USHRT_MAX 65535\n#define INT_MIN (-2147483648)\n#define INT_MAX 2147483647\n"
	"#define UINT_MAX 4294967295\n#define LONG_MIN (-9223372036854775807-1)\n"
	"#define LONG_MAX 9223372036854775807\n#define ULONG_MAX 18446744073709551615u\n"
	"#define LLONG_MIN (-9223372036854775807-1)\n#define LLONG_MAX 9223372036854775807\n"
	"#define ULLONG_MAX 18446744073709551615u\n#define PATH_MAX 4096\n#define NAME_MAX 255\n"
	"#define NR_OPEN 1024\n#define NGROUPS_MAX 65536\n#define ARG_MAX 131072\n#define LINK_MAX 127\n"
	"#define MAX_CANON 255\n#define MAX_INPUT 255\n#define PIPE_BUF 4096\n#define XATTR_NAME_MAX 255\n"
	"#define XATTR_SIZE_MAX 65536\n#define XATTR_LIST_MAX 65536\n#define RTSIG_MAX 32\n"
	"#define SSIZE_MAX 9223372036854775807\n";

static const char linux_types_h[] =
	"typedef signed char __s8; typedef short __s16; typedef int __s32; typedef long long __s64;\n"
	"typedef unsigned char __u8; typedef unsigned short __u16; typedef unsigned int __u32;\n"
	"typedef unsigned long long __u64; typedef __u16 __le16; typedef __u16 __be16;\n"
	"typedef __u32 __le32; typedef __u32 __be32; typedef __u64 __le64; typedef __u64 __be64;\n"
	"typedef __u16 __sum16; typedef __u32 __wsum; typedef unsigned __poll_t;\n"
	"typedef int __kernel_pid_t; typedef unsigned int __kernel_uid_t; typedef unsigned int __kernel_gid_t;\n"
	"typedef unsigned int __kernel_uid32_t; typedef unsigned int __kernel_gid32_t;\n"
	"typedef unsigned int __kernel_mode_t; typedef long __kernel_off_t; typedef long long __kernel_loff_t;\n"
	"typedef long __kernel_long_t; typedef unsigned long __kernel_ulong_t;\n"
	"typedef unsigned long __kernel_size_t; typedef long __kernel_ssize_t; typedef long __kernel_ptrdiff_t;\n"
	"typedef long long __kernel_time64_t; typedef long __kernel_old_time_t; typedef long __kernel_time_t;\n"
	"typedef long __kernel_suseconds_t; typedef long __kernel_clock_t; typedef int __kernel_timer_t;\n"
	"typedef int __kernel_clockid_t; typedef int __kernel_key_t; typedef int __kernel_mqd_t;\n"
#if defined(__x86_64__)
	"typedef unsigned long __kernel_old_dev_t; typedef unsigned short __kernel_old_uid_t;\n"
	"typedef unsigned short __kernel_old_gid_t;\n"
#else
	"typedef unsigned int __kernel_old_dev_t; typedef unsigned int __kernel_old_uid_t;\n"
	"typedef unsigned int __kernel_old_gid_t;\n"
#endif
	"typedef int __kernel_daddr_t; typedef int __kernel_ipc_pid_t;\n"
	"typedef unsigned short __kernel_sa_family_t; typedef struct { int val[2]; } __kernel_fsid_t;\n"
	"#define __aligned_u64 __u64 __attribute__((aligned(8)))\n"
	"#define __aligned_be64 __be64 __attribute__((aligned(8)))\n"
	"#define __aligned_le64 __le64 __attribute__((aligned(8)))\n"
	"#define __bitwise\n#define __force\n#define __user\n#define __kernel\n#define __iomem\n";

static const struct {
	const char *name, *text;
} headers[] = {
	{"errno.h", errno_h},	    {"asm/errno.h", errno_h},	{"linux/errno.h", errno_h},
	{"signal.h", signal_h},	    {"stdint.h", stdint_h},	{"inttypes.h", stdint_h},
	{"stddef.h", stddef_h},	    {"linux/stddef.h", ""},	{"stdbool.h", stdbool_h},
	{"limits.h", limits_h},	    {"linux/limits.h", limits_h}, {"stdarg.h", ""},
	{"syscall.h", syscall_h},   {"sys/syscall.h", syscall_h}, {"asm/unistd.h", syscall_h},
	{"float.h", ""},	    {"linux/types.h", linux_types_h}, {"asm/types.h", linux_types_h},
	{"linux/posix_types.h", linux_types_h}, {"linux/compiler.h", ""},
};

const char *c_builtin_header(struct str name)
{
	for (size_t i = 0; i < sizeof(headers) / sizeof(headers[0]); i++)
		if (str_is(name, headers[i].name))
			return headers[i].text;
	return NULL;
}

/* As ROW, where no header that was read has it: with a number of the kernel, and with the one of this machine. */
#define FIXED(name, value) "#ifndef " #name "\n#define " #name " " value "\n#endif\n"
#define OURS(name) "#ifndef " #name "\n#define " #name " " VALUE(name) "\n#endif\n"

static const char sockets[] =
	FIXED(AF_UNSPEC, "0") FIXED(AF_UNIX, "1") FIXED(AF_LOCAL, "1") FIXED(AF_INET, "2")
	FIXED(AF_INET6, "10") FIXED(AF_NETLINK, "16") FIXED(AF_PACKET, "17") FIXED(AF_VSOCK, "40")
	FIXED(PF_INET, "2") FIXED(PF_INET6, "10") OURS(SOL_SOCKET) OURS(SO_ERROR) FIXED(MSG_OOB, "1")
	FIXED(MSG_PEEK, "2") FIXED(MSG_TRUNC, "0x20") FIXED(MSG_DONTWAIT, "0x40") FIXED(MSG_WAITALL, "0x100")
	FIXED(MSG_NOSIGNAL, "0x4000") FIXED(MSG_MORE, "0x8000") FIXED(MSG_ZEROCOPY, "0x4000000");

/* include/linux/sched.h: those that have not changed since 5.10. */
static const char states[] =
	FIXED(TASK_RUNNING, "0") FIXED(TASK_INTERRUPTIBLE, "1") FIXED(TASK_UNINTERRUPTIBLE, "2")
	FIXED(__TASK_STOPPED, "4") FIXED(__TASK_TRACED, "8") FIXED(EXIT_DEAD, "0x10")
	FIXED(EXIT_ZOMBIE, "0x20") FIXED(TASK_PARKED, "0x40") FIXED(TASK_DEAD, "0x80")
	FIXED(TASK_WAKEKILL, "0x100") FIXED(TASK_WAKING, "0x200") FIXED(TASK_NOLOAD, "0x400")
	FIXED(TASK_NEW, "0x800") FIXED(TASK_KILLABLE, "0x102") FIXED(TASK_IDLE, "0x402")
	FIXED(PF_EXITING, "4") FIXED(PF_KTHREAD, "0x200000");

static const char file_modes[] =
	OURS(O_RDONLY) OURS(O_WRONLY) OURS(O_RDWR) OURS(O_ACCMODE) OURS(O_CREAT) OURS(O_EXCL) OURS(O_TRUNC) OURS(O_APPEND)
	OURS(O_NONBLOCK) OURS(O_SYNC) OURS(O_DSYNC) OURS(O_CLOEXEC) OURS(O_DIRECTORY) OURS(O_NOFOLLOW) OURS(AT_FDCWD)
	OURS(S_IFMT) OURS(S_IFSOCK) OURS(S_IFLNK) OURS(S_IFREG) OURS(S_IFBLK) OURS(S_IFDIR) OURS(S_IFCHR) OURS(S_IFIFO)
	/* include/linux/fs.h and kdev_t.h */
	FIXED(FMODE_READ, "1") FIXED(FMODE_WRITE, "2") FIXED(MINORBITS, "20")
	FIXED(MINORMASK, "((1 << 20) - 1)");

static const char mappings[] =
	OURS(PROT_NONE) OURS(PROT_READ) OURS(PROT_WRITE) OURS(PROT_EXEC) OURS(MAP_SHARED) OURS(MAP_PRIVATE)
	OURS(MAP_FIXED) OURS(MAP_ANONYMOUS);

static const char protocols[] =
	FIXED(ETH_P_IP, "0x0800") FIXED(ETH_P_ARP, "0x0806") FIXED(ETH_P_IPV6, "0x86DD")
	FIXED(ETH_ALEN, "6");

static const struct {
	const char *name, *text;
} constants[] = {
	{"sys/socket.h", sockets},  {"linux/socket.h", sockets}, {"net/sock.h", sockets},    {"linux/net.h", sockets},
	{"netinet/in.h", sockets},  {"linux/sched.h", states},	 {"fcntl.h", file_modes},    {"linux/fcntl.h", file_modes},
	{"sys/stat.h", file_modes}, {"linux/fs.h", file_modes},	 {"linux/kdev_t.h", file_modes}, {"sys/mman.h", mappings},
	{"linux/mman.h", mappings}, {"linux/if_ether.h", protocols}, {"linux/etherdevice.h", protocols},
};

const char *c_header_constants(struct str name)
{
	for (size_t i = 0; i < sizeof(constants) / sizeof(constants[0]); i++)
		if (str_is(name, constants[i].name))
			return constants[i].text;
	return NULL;
}

const char *c_predefined(void)
{
	return "#define WAKETRACE 1\n#define BPFTRACE 1\n"
	       "#define __STDC__ 1\n#define __STDC_VERSION__ 201112\n#define __GNUC__ 8\n#define __GNUC_MINOR__ 0\n"
	       "#define __linux__ 1\n#define __unix__ 1\n#define __LP64__ 1\n#define _LP64 1\n"
	       "#define __CHAR_BIT__ 8\n#define __SIZEOF_INT__ 4\n#define __SIZEOF_LONG__ 8\n#define __SIZEOF_POINTER__ 8\n"
	       "#define __ORDER_LITTLE_ENDIAN__ 1234\n#define __ORDER_BIG_ENDIAN__ 4321\n"
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
	       "#define __BYTE_ORDER__ 1234\n#define __LITTLE_ENDIAN_BITFIELD 1\n#define __LITTLE_ENDIAN 1234\n"
#else
	       "#define __BYTE_ORDER__ 4321\n#define __BIG_ENDIAN_BITFIELD 1\n#define __BIG_ENDIAN 4321\n"
#endif
	       "#define __INT_MAX__ 2147483647\n#define __LONG_MAX__ 9223372036854775807\n"
	       "#define __SIZE_TYPE__ unsigned long\n#define __PTRDIFF_TYPE__ long\n#define __WCHAR_TYPE__ int\n"
	       "#define __struct_group(TAG, NAME, ATTRS, MEMBERS...) "
	       "union { struct { MEMBERS } ATTRS; struct TAG { MEMBERS } ATTRS NAME; } ATTRS\n"
	       "#define __DECLARE_FLEX_ARRAY(T, member) T member[0]\n"
	       "#define __counted_by(m)\n#define __counted_by_le(m)\n#define __counted_by_be(m)\n"
#if defined(__x86_64__)
	       "#define __x86_64__ 1\n#define __x86_64 1\n#define __TARGET_ARCH_x86 1\n";
#elif defined(__aarch64__)
	       "#define __aarch64__ 1\n#define __TARGET_ARCH_arm64 1\n";
#else
	       "";
#endif
}
