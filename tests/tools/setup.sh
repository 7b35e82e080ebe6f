# Sourced by ./run and ./test (POSIX shell; ROOT is the repository): install what is missing on Debian 12, build.
# Quick when there is nothing to do; everything said here goes to stderr.

BUILD_PACKAGES="cmake ninja-build gcc g++ flex bison pkg-config llvm-19-dev libbpf-dev libelf-dev zlib1g-dev
libzstd-dev libdw-dev liblzma-dev libiberty-dev libcmocka-dev lld"
GUEST_PACKAGES="python3 qemu-system-x86 busybox-static debian-archive-keyring"
FUZZ_PACKAGES="clang-19 libclang-rt-19-dev"

# need_packages NAME...: install those that are not installed.
need_packages() {
	missing=
	for package in "$@"; do
		state=$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) || state=
		[ "$state" = installed ] || missing="$missing $package"
	done
	[ -n "$missing" ] || return 0
	as_root=
	if [ "$(id -u)" != 0 ]; then
		as_root=$(command -v sudo) || {
			echo "missing packages (install them as root: apt-get install$missing)" >&2
			return 1
		}
	fi
	echo "installing$missing" >&2
	# shellcheck disable=SC2086 # words are meant to split
	{
		$as_root apt-get update -qq &&
			$as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $missing
	} >&2 </dev/null
}

# build PRESET [TARGET...]: configure once, then build; when all is well it says no more than the size of a new binary.
build() {
	preset=$1
	shift
	case $preset in
	release) directory=$ROOT/build ;;
	*) directory=$ROOT/build-$preset ;;
	esac
	log=$(mktemp)
	if {
		[ -f "$directory/build.ninja" ] || (cd "$ROOT" && cmake --preset "$preset")
	} >"$log" 2>&1 && cmake --build "$directory" ${1:+--target "$@"} >>"$log" 2>&1; then
		sed -n 's/^-- \(waketrace: .* MB.*\)/\1/p' "$log" >&2
		rm -f "$log"
	else
		cat "$log" >&2
		rm -f "$log"
		echo "the build ($preset) failed" >&2
		return 1
	fi
}
