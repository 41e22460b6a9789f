#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# The Debian packages, as make deb has made them, on a bare Debian: they install, work from their
# installed files (modules by DKMS and a run in the lab included), replace an older version, and
# leave nothing when removed. They can be built there, and elsewhere to the same bytes.
# Called by make check-package, as root. The bare system is kept in build/package; so are the
# packages that are downloaded for it.
# shellcheck disable=SC2317 # the parts are called by their names
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/../lib/check.sh"

readonly OURS=(libptremap0 libptscope-dev libptw0 ptscope ptscope-dkms ptscope-lab)
readonly KERNELS=(6.1 6.12)
readonly OLDER=0.0.9
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
	rm -rf --one-file-system "$base.new"
	debootstrap --variant=minbase "$suite" "$base.new" \
		"$(lists | awk '{ print $2; exit }')" >"$cache/log" 2>&1 && mv "$base.new" "$base"
}

unmount()
{
	mountpoint -q "$root" && { umount -R "$root" || umount -R -l "$root"; }
	mountpoint -q "$root" || rm -rf --one-file-system "$run"
}

# mount_root - what is written stays in a folder of this run's. Called again: bare again.
mount_root()
{
	[[ -e $run ]] && unmount # of one that was killed
	mkdir "$run" "$root" "$run/upper" "$run/work" &&
		mount -t overlay -o "lowerdir=$base,upperdir=$run/upper,workdir=$run/work" overlay "$root" ||
		return 1
	mount -t proc proc "$root/proc" && mount --rbind /sys "$root/sys" &&
		mount --make-rslave "$root/sys" && mount --rbind /dev "$root/dev" &&
		mount --make-rslave "$root/dev" &&
		mount --bind "$cache/archives" "$root/var/cache/apt/archives" || return 1
	# Nothing of it has to survive a power cut.
	echo force-unsafe-io >"$root/etc/dpkg/dpkg.cfg.d/fast"
	lists >"$root/etc/apt/sources.list" && cp /etc/resolv.conf "$root/etc/" &&
		inside apt-get -qq update >>"$cache/log" 2>&1
}

# inside COMMAND...
inside()
{
	env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root LC_ALL=C \
		${http_proxy:+"http_proxy=$http_proxy"} DEBIAN_FRONTEND=noninteractive \
		chroot "$root" "$@"
}

# install PACKAGE... - and what they depend on, no more
install()
{
	inside apt-get -qq --no-install-recommends install "$@" >"$work/log" 2>&1
}

# apt_says ARG... - what apt-get would do with our packages, as names
apt_says()
{
	inside apt-get -s --no-install-recommends install "${packages[@]}" "$@" 2>>"$work/log" |
		awk '$1 == "Inst" { print $2 }'
}

# state - prints each file in the root with its kind, rights, owner and contents; but not what runs,
# and what dpkg, apt and man-db know or log (man-db forgets pages once a day). virtiofsd leaves a file
# of its own in /run.
state()
{
	local ignored=(proc sys dev debs replay run/virtiofsd var/log var/lib/dpkg var/lib/apt
		var/cache/apt var/cache/debconf var/cache/ldconfig var/cache/man) path not=()

	for path in "${ignored[@]}"; do
		not+=(-path "./$path" -o)
	done
	(cd "$root" && find . \( "${not[@]}" -false \) -prune -o -printf '%p %y%m %u:%g %l\n' &&
		find . \( "${not[@]}" -false \) -prune -o -type f -exec sha256sum {} +) | sort
}

# dkms_has VERSION... - its modules are in place for both kernels, and no others
dkms_has()
{
	local release

	for release in "${releases[@]}"; do
		printf "ptscope/%s, $release, x86_64: installed\n" "$@"
	done | sort >"$work/want"
	inside dkms status 2>>"$work/log" | sort >"$work/got"
	same_lines "dkms status" "$work/want" "$work/got"
	for release in "${releases[@]}"; do
		equal "modules in updates/dkms of $release" \
			"$(inside find "/lib/modules/$release/updates/dkms" -name 'ptremap*.ko*' | wc -l)" 2
	done
}

part_packages()
{
	local package

	for package in "$bin"/deb/*.deb; do
		dpkg-deb -f "$package" Package
	done | sort >"$work/got"
	printf '%s\n' "${OURS[@]}" >"$work/want"
	same_lines "packages" "$work/want" "$work/got"
	# The first upload to Debian closes a wish for the package; these are not for Debian.
	ends_with "lintian" 0 lintian --allow-root --fail-on error,warning \
		--suppress-tags initial-upload-closes-no-bugs "$bin"/deb/*.changes
	cat "$work/out"
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
	install "${others[@]}"
	equal "... are installed: status" $? 0
	# As they are once a module was built and is gone again.
	for release in "${releases[@]}"; do
		inside depmod "$release" 2>>"$work/log"
	done
	state >"$work/before"
	apt_says | sort >"$work/got"
	printf '%s\n' "${OURS[@]}" >"$work/want"
	same_lines "packages left to install" "$work/want" "$work/got"
	install "${packages[@]}"
	equal "installation: status" $? 0
	equal "packages not configured" "$(inside dpkg --audit | wc -l)" 0
	equal "installed files that are not those of the packages" \
		"$(inside dpkg --verify "${OURS[@]}" 2>&1 | wc -l)" 0
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
	ends_with "man-db's index has ptremap" 0 inside whatis ptremap
	ends_with "completion for bash" 0 inside bash -c \
		'. /usr/share/bash-completion/completions/ptremap && complete -p ptremap'
	cp "$top/user/pt/example/guest_translate.c" "$top/user/kernel/example/swap_pages.c" \
		"$root/replay"
	# shellcheck disable=SC2016 # expanded inside
	ends_with "examples of both libraries" 0 inside sh -c 'cd /replay &&
		gcc guest_translate.c -I/usr/include -lptw -o a && gcc swap_pages.c -lptremap -o b &&
		ldd a b | grep -c "libpt.*.so.0 => /" | grep -qx 2'
}

# passed_over WHAT RELEASE CONFIG - a kernel that the module is not for fails nobody's installation
passed_over()
{
	local headers=$root/replay/headers

	rm -rf "$headers" && mkdir -p "$headers/include" && printf '%s\n' "$3" >"$headers/.config"
	ends_with "dkms build for $1: it is passed over" 77 inside dkms build "ptscope/$version" \
		-k "$2" --kernelsourcedir /replay/headers
}

part_dkms()
{
	local release built

	dkms_has "$version"
	for release in "${releases[@]}"; do
		equal "modinfo: vermagic" "$(inside modinfo -k "$release" -F vermagic ptremap_kvm |
			cut -d ' ' -f 1)" "$release"
	done
	passed_over "5.10" 5.10.0-9-amd64 "$(inside cat "/lib/modules/${releases[0]}/build/.config")"
	passed_over "a kernel without MMU notifiers" 6.9.0-9-amd64 CONFIG_KPROBES=y
	built=$(inside ptscope-kmod "/lib/modules/${releases[1]}/build" 2>"$work/err")
	equal "ptscope-kmod: status" $? 0
	cat "$work/err"
	equal "its module" "$built" "/var/cache/ptscope/kmod/${releases[1]}/ptremap.ko"
	equal "vermagic of that" "$(inside modinfo -F vermagic "$built" | cut -d ' ' -f 1)" \
		"${releases[1]}"
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

# gone WHAT COMMAND... - the system is what it was before our packages came, when the command has run
gone()
{
	"${@:2}" >"$work/log" 2>&1
	equal "$1: status" $? 0
	state >"$work/after"
	same_lines "files before the installation and after the $1" "$work/before" "$work/after"
	equal "$1: complaints" "$(grep -ciE 'not empty|cannot|error' "$work/log")" 0
	grep -iE 'not empty|cannot|error' "$work/log"
}

# None has anything to configure, so there is nothing to keep when they are only removed.
part_removal()
{
	gone removal inside dpkg --remove "${OURS[@]}"
}

# plain SOURCES - modules of the same names that are built at once
plain()
{
	local name

	rm -r "$1"/{*.[ch],uapi,pt}
	for name in ptremap ptremap_kvm; do
		printf '#include <linux/module.h>\nMODULE_LICENSE("GPL");\n' >"$1/$name.c"
	done
	echo "obj-m := ptremap.o ptremap_kvm.o" >"$1/Kbuild"
}

# as_version VERSION PACKAGE FOLDER - puts it there as if it were of that version, which its scripts
# and DKMS' files have to know, with plain modules
as_version()
{
	local tree=$work/as_version sources

	rm -rf "$tree" && dpkg-deb -R "$2" "$tree" || return 1
	grep -rlF -- "$version" "$tree/DEBIAN" | xargs sed -i "s/${version//./\\.}/$1/g"
	sources=$tree/usr/src/ptscope-
	if [[ -d $sources$version ]]; then
		[[ $1 == "$version" ]] || mv "$sources$version" "$sources$1" || return 1
		plain "$sources$1" && sed -i "s/${version//./\\.}/$1/" "$sources$1/dkms.conf" || return 1
	fi
	dpkg-deb --root-owner-group -b "$tree" "$3" >/dev/null
}

part_upgrade()
{
	local package of old new bad=0

	for of in "$OLDER" "$version"; do
		mkdir "$root/debs/$of"
		for package in "$bin"/deb/*.deb; do
			as_version "$of" "$package" "$root/debs/$of" || bad=$((bad + 1))
		done
	done
	equal "packages of either version that could not be made" "$bad" 0
	mapfile -t old < <(cd "$root" && printf '/%s\n' "debs/$OLDER"/*.deb)
	mapfile -t new < <(cd "$root" && printf '/%s\n' "debs/$version"/*.deb)
	install "${old[@]}"
	equal "installation of $OLDER: status" $? 0
	dkms_has "$OLDER"
	install "${new[@]}"
	equal "upgrade to $version: status" $? 0
	# shellcheck disable=SC2016 # dpkg-query expands it
	equal "versions that are installed" "$(inside dpkg-query -W -f '${Version}\n' "${OURS[@]}" |
		sort -u | xargs)" "$(dpkg-deb -f "$bin"/deb/ptscope_*.deb Version)"
	dkms_has "$version"
	equal "sources of modules" "$(cd "$root" && echo usr/src/ptscope-*)" "usr/src/ptscope-$version"
	gone purge inside dpkg --purge "${OURS[@]}"
	equal "packages of ours that dpkg knows" \
		"$(inside dpkg-query -W "${OURS[@]}" 2>/dev/null | wc -l)" 0
}

# differing FOLDER - prints how many of the packages there are not those of make deb
differing()
{
	local package bad=0

	for package in "$bin"/deb/*.deb; do
		cmp "$package" "$1/${package##*/}" >&2 || bad=$((bad + 1))
	done
	echo "$bad"
}

# toolchain FILE - prints the versions of what the packages were built with, of a .buildinfo
toolchain()
{
	sed -n '/^Installed-Build-Depends:/,/^[^ ]/s/^ //p' "$1" | tr -d ','
}

# build_elsewhere DIFFERING - all of it again here, in another folder
build_elsewhere()
{
	echo "# $1 packages differ, by another toolchain:" "$(diff "$work/want" "$work/got" | sed -n 's/^> //p' | xargs)"
	O=$work/again VERSION=$version "$top/scripts/deb" >"$work/log" 2>&1
	equal "make deb elsewhere: status" $? 0
	equal "packages that differ" "$(differing "$work/again/deb")" 0
}

# What the packages say that they are built with is all that they need. On a bare system, in another
# folder and time zone, and of files that are not everybody's, they are the same bytes, as long as the
# compilers are the same.
part_build()
{
	local bad

	mount_root || { not_ok "mounts for it"; return; }
	mkdir -p "$root/build" && (umask 077 && "$top/scripts/deb" --source "$root/build/ptscope")
	inside apt-get -qq --no-install-recommends build-dep /build/ptscope >"$work/log" 2>&1
	equal "packages that ours are built with: status" $? 0
	inside env -C /build/ptscope TZ=Asia/Tokyo DEB_BUILD_OPTIONS=noautodbgsym \
		dpkg-buildpackage -b -us -uc >"$work/log" 2>&1
	equal "dpkg-buildpackage on a bare system: status" $? 0
	tail -n 1 "$work/log"
	equal "packages that it made" "$(find "$root/build" -name '*.deb' | wc -l)" "${#OURS[@]}"
	bad=$(differing "$root/build" 2>"$work/err")
	toolchain "$bin"/deb/*.buildinfo >"$work/want"
	toolchain "$root"/build/*.buildinfo >"$work/got"
	if ((bad == 0)) || cmp -s "$work/want" "$work/got"; then
		equal "packages that differ" "$bad" 0
		cat "$work/err"
	else
		build_elsewhere "$bad"
	fi
}

((EUID == 0)) || { echo "run.sh: must run as root" >&2; exit 1; }
mkdir -p "$cache/archives/partial"
exec 8>"$cache/lock"
flock -n 8 || { echo "run.sh: another one uses $cache" >&2; exit 1; }
make_base
equal "a bare $suite: status" $? 0 "debootstrap"
at_exit unmount
mount_root || { not_ok "mounts for it"; finish; }
parts packages install programs dkms lab removal upgrade build
finish
