#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The Debian packages, as make deb has made them, on a bare Debian: they install, work from their
# installed files (modules by DKMS and a run in the lab included), and leave nothing when removed.
# Called by make check-package, as root. The bare system is kept in build/package; so are the
# packages that are downloaded for it.
# shellcheck disable=SC2317 # the parts are called by their names
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/../lib/check.sh"

readonly OURS=(libptremap0 libptscope-dev libptw0 ptscope ptscope-dkms ptscope-lab)
readonly KERNELS=(6.1 6.12)
readonly cache=$bin/package suite=bookworm
# Not in $work: what is mounted there must not be removed with it.
readonly base=$cache/$suite run=$cache/run root=$cache/run/root
version=$("$pf" --version | sed 's/.* //')
releases=() packages=()
for package in "$bin"/deb/*.deb; do
	packages+=("/debs/${package##*/}")
done
for kernel in "${KERNELS[@]}"; do
	releases+=("$("$top/scripts/lab-kernel" --release "$kernel")")
done

# lists - prints where this machine gets Debian's packages
lists()
{
	# shellcheck disable=SC2016 # apt expands it
	apt-get indextargets --format 'deb $(SITE) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
		grep -E " $suite(-updates|-security)? main\$"
}

# make_base - a system with nothing but what every Debian has; made once
make_base()
{
	[[ ! -d $base ]] || return 0
	rm -rf "$base.new"
	mkdir -p "$cache/archives/partial" &&
		debootstrap --variant=minbase "$suite" "$base.new" \
			"$(lists | awk '{ print $2; exit }')" >"$cache/log" 2>&1 || return 1
	lists >"$base.new/etc/apt/sources.list"
	cp /etc/resolv.conf "$base.new/etc/"
	chroot "$base.new" apt-get -qq update >>"$cache/log" 2>&1 && mv "$base.new" "$base"
}

unmount()
{
	mountpoint -q "$root" && { umount -R "$root" || umount -R -l "$root"; }
	mountpoint -q "$root" || rm -rf --one-file-system "$run"
}

# mount_root - what is written stays in a folder of this run's
mount_root()
{
	[[ -e $run ]] && unmount # of one that was killed
	at_exit unmount
	mkdir "$run" "$root" "$run/upper" "$run/work" || return 1
	mount -t overlay -o "lowerdir=$base,upperdir=$run/upper,workdir=$run/work" overlay "$root" ||
		return 1
	mount -t proc proc "$root/proc" && mount --rbind /sys "$root/sys" &&
		mount --make-rslave "$root/sys" && mount --rbind /dev "$root/dev" &&
		mount --make-rslave "$root/dev" && mount --bind "$cache/archives" "$root/var/cache/apt/archives"
}

# inside COMMAND...
inside()
{
	env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C \
		DEBIAN_FRONTEND=noninteractive chroot "$root" "$@"
}

# apt_says ARG... - what apt-get would do with our packages, as names
apt_says()
{
	inside apt-get -s --no-install-recommends install "${packages[@]}" "$@" 2>>"$work/log" |
		awk '$1 == "Inst" { print $2 }'
}

# files - prints what is in the root, but not what dpkg and apt know or log, nor what runs (virtiofsd
# leaves a file of its own in /run)
files()
{
	(cd "$root" && find . \( -path ./proc -o -path ./sys -o -path ./dev -o -path ./tmp \
		-o -path ./debs -o -path ./replay -o -path ./run -o -path ./var/log -o -path ./var/lib/dpkg \
		-o -path ./var/lib/apt -o -path ./var/cache \) -prune -o -print | sort)
	(cd "$root" && ls -d var/cache/ptscope var/lib/dkms/ptscope 2>/dev/null)
}

part_packages()
{
	local package

	ls "$bin"/deb/*.deb >"$work/log"
	for package in "$bin"/deb/*.deb; do
		dpkg-deb -f "$package" Package
	done | sort >"$work/got"
	printf '%s\n' "${OURS[@]}" >"$work/want"
	same_lines "packages" "$work/want" "$work/got"
	ends_with "lintian" 0 lintian --allow-root --fail-on error "$bin"/deb/*.deb
	sort "$work/out" | cut -d : -f 1,3 | uniq -c | head -n 20
	dpkg-deb -f "$bin"/deb/ptscope-lab_*.deb Depends | tr -d ' ' | tr ',' '\n' >"$work/lab"
	equal "packages of the lab that ptscope-lab does not depend on" "$(sed -n '/\[lab\]/,/"$/p' \
		"$top/scripts/deps" | sed 's/.*=//' | tr -d '"' | xargs -n 1 | grep -cvxFf "$work/lab")" 0
}

part_install()
{
	local others

	mkdir "$root/debs" && cp "$bin"/deb/*.deb "$root/debs"
	mapfile -t others < <(apt_says "${releases[@]/#/linux-headers-}" man-db |
		grep -vxF "$(printf '%s\n' "${OURS[@]}")")
	at_least "packages that ours need on a bare system" "${#others[@]}" 20
	inside apt-get -qq --no-install-recommends install "${others[@]}" >"$work/log" 2>&1
	equal "... are installed: status" $? 0
	for release in "${releases[@]}"; do
		inside depmod "$release"
	done
	files >"$work/before"
	apt_says | sort >"$work/got"
	printf '%s\n' "${OURS[@]}" >"$work/want"
	same_lines "packages left to install" "$work/want" "$work/got"
	inside apt-get -qq --no-install-recommends install "${packages[@]}" >"$work/log" 2>&1
	equal "installation: status" $? 0
	equal "packages not configured" "$(inside dpkg --audit | wc -l)" 0
	tail -n 3 "$work/log"
}

part_programs()
{
	"$pf" doctor >"$work/want" 2>&1
	echo "status $?" >>"$work/want"
	inside ptrace-pf doctor >"$work/got" 2>&1
	echo "status $?" >>"$work/got"
	same_lines "ptrace-pf doctor, installed and built" "$work/want" "$work/got"
	mkdir -p "$root/replay/tests" && cp -r "$top/tests/replay" "$root/replay/tests" &&
		mkdir "$root/replay/user" && cp -r "$top/user/abi" "$root/replay/user"
	inside env PTRACE_PF=/usr/bin/ptrace-pf sh /replay/tests/replay/run.sh >"$work/log" 2>&1
	equal "replays by the installed program: status" $? 0
	tail -n 1 "$work/log"
	equal "ptrace-pf script --abi help" "$(inside ptrace-pf script --abi help | xargs)" \
		"bitvisor capsule hyperv kvm xen"
	ends_with "man ptremap-ept" 0 inside sh -c 'man ptremap-ept | grep -q "^ *ptremap ept"'
	ends_with "completion for bash" 0 inside bash -c \
		'. /usr/share/bash-completion/completions/ptremap && complete -p ptremap'
	cp "$top/user/pt/example/guest_translate.c" "$top/user/kernel/example/swap_pages.c" \
		"$root/replay"
	# shellcheck disable=SC2016 # expanded inside
	ends_with "examples of both libraries" 0 inside sh -c 'cd /replay &&
		gcc guest_translate.c -I/usr/include -lptw -o a && gcc swap_pages.c -lptremap -o b &&
		ldd a b | grep -c "libpt.*.so.0 => /" | grep -qx 2'
}

part_dkms()
{
	local release

	for release in "${releases[@]}"; do
		inside dkms install "ptscope/$version" -k "$release" >"$work/log" 2>&1
		equal "dkms install, $release: status" $? 0
		equal "modules in updates/dkms" \
			"$(inside find "/lib/modules/$release/updates" -name 'ptremap*' | wc -l)" 2
		equal "modinfo: vermagic" "$(inside modinfo -k "$release" -F vermagic ptremap_kvm |
			cut -d ' ' -f 1)" "$release"
	done
}

# The kernel that the lab boots is taken from this tree's, not fetched again.
part_lab()
{
	local kernels=$root/var/cache/ptscope/lab/kernels from=$top/build/lab/kernels link module

	link=$(readlink "$from/6.12-cloud") && mkdir -p "$kernels" &&
		cp -a "$from/$link" "$from/6.12-cloud" "$kernels"
	module=$(cd "$root" && echo var/lib/dkms/ptscope/"$version"/"${releases[1]}"/x86_64/module/ptremap.ko*)
	# shellcheck disable=SC2016 # expanded in the guest
	inside ptscope-lab --kernel 6.12 --quiet bash -c '
		insmod "$0" && ptrace-pf doctor | grep -E "^hook|fentry" && cd /tmp &&
			ptrace-pf record -q -- perl -e "print 1" && ptrace-pf report --sort outcome &&
			page=0x$(sed -n "s/^[^-]*-\([0-9a-f]*\)000 .*\[stack\]\$/\1/p" /proc/$$/maps)000 &&
			ptremap walk --pid $$ "$(printf 0x%x $((page - 4096)))" && echo walked' \
		"/$module" >"$work/out" 2>"$work/err"
	equal "ptscope-lab with the installed programs and module: status" $? 0
	cat "$work/out" "$work/err"
	at_least "anonymous faults recorded there" "$(awk '$NF == "anon" { print $2 }' "$work/out")" 10
	equal "pages of the walk" "$(grep -c '4K page' "$work/out")" 1
}

part_removal()
{
	inside dpkg --purge "${OURS[@]}" >"$work/log" 2>&1
	equal "removal: status" $? 0
	files >"$work/after"
	same_lines "files before the installation and after the removal" "$work/before" "$work/after"
	equal "removal: complaints" "$(grep -ciE 'not empty|cannot|error' "$work/log")" 0
	grep -iE 'not empty|cannot|error' "$work/log"
}

# All of it again, in another folder, as other packages would build it.
part_reproducible()
{
	local package bad=0

	O=$work/again VERSION=$version "$top/scripts/deb" >"$work/log" 2>&1
	equal "make deb elsewhere: status" $? 0
	for package in "$work"/again/deb/*.deb; do
		cmp "$package" "$bin/deb/${package##*/}" || bad=$((bad + 1))
	done
	equal "packages that differ" "$bad" 0
}

((EUID == 0)) || { echo "run.sh: must run as root" >&2; exit 1; }
make_base
equal "a bare $suite: status" $? 0 "debootstrap"
mount_root || { not_ok "mounts for it"; finish; }
parts packages install programs dkms lab removal reproducible
finish
