#!/bin/bash
# SPDX-License-Identifier: GPL-2.0
# What make install puts where, and that make uninstall leaves nothing; how programs and libraries
# are made: hardened, the same bytes wherever they are built, and of what make sbom says.
# shellcheck disable=SC2317 # the parts are called by their names
# shellcheck source=tests/lib/check.sh
. "$(dirname "$0")/../lib/check.sh"

readonly prefix=/opt/ptscope
dest=$work/dest
version=$("$pf" --version | sed 's/.* //')

# install_files TARGET [VARIABLE=VALUE]...
install_files()
{
	make -C "$top" --no-print-directory O="$bin" DESTDIR="$dest" prefix="$prefix" "$@" \
		>"$work/log" 2>&1
	equal "make $*: status" $? 0
}

# commands PROGRAM - prints them, as the program does
commands()
{
	"$bin/$1" --help | awk '/^  [a-z]/ { print $1 }'
}

# installed - what is there, without headers and the module's sources
installed()
{
	(cd "$dest$prefix" && find . ! -type d ! -name '*.h' ! -path './src/*.c' -printf '%P\n' | sort)
}

expected()
{
	local program name

	cat <<-END
	bin/ptrace-pf
	bin/ptremap
	bin/ptscope-kmod
	bin/ptscope-lab
	lib/pkgconfig/libptremap.pc
	lib/pkgconfig/libptw.pc
	share/bash-completion/completions/ptrace-pf
	share/bash-completion/completions/ptremap
	share/doc/ptscope/ARCHITECTURE.md
	share/doc/ptscope/BENCHMARKS.md
	share/doc/ptscope/CHANGELOG.md
	share/doc/ptscope/README.md
	share/doc/ptscope/SECURITY.md
	share/doc/ptscope/examples/ptrace-pf-stat.service
	share/man/man1/ptrace-pf.1
	share/man/man1/ptremap.1
	share/man/man1/ptscope-kmod.1
	share/man/man1/ptscope-lab.1
	share/man/man3/ptw.3
	share/zsh/site-functions/_ptscope
	src/ptscope-$version/Kbuild
	src/ptscope-$version/dkms.conf
	END
	for name in libptremap libptw; do
		printf "lib/$name.%s\n" a so so.0 "so.$version"
	done
	for program in ptrace-pf ptremap; do
		commands "$program" | sed "s|.*|share/man/man1/$program-&.1|"
	done
	for name in "$top"/user/cmd/*.5; do
		echo "share/man/man5/${name##*/}"
	done
	for name in "$top"/user/abi/*.abi; do
		echo "share/ptscope/abi/${name##*/}"
	done
	for name in deps kmod lab lab-bochs lab-boot.S lab-debug-kernel lab-debug.config lab-init lab-kernel lab-scan lab-share lab-wire.c; do
		echo "share/ptscope/scripts/$name"
	done
}

part_install()
{
	local page program bad=0

	install_files install
	expected | sort >"$work/want"
	installed >"$work/got"
	same_lines "installed files" "$work/want" "$work/got"
	for page in "$dest$prefix"/share/man/man1/*-*-*.1 "$dest$prefix"/share/man/man1/ptremap-*.1; do
		program=${page##*/}
		program=$(sed -E 's/^(ptrace-pf|ptremap)-.*/\1/' <<<"$program")
		[[ $(cat "$page") == ".so man1/$program.1" ]] || bad=$((bad + 1))
	done
	equal "pages of commands that do not lead to their program's" "$bad" 0
	for page in lab kmod; do
		PTSCOPE_COMMAND=ptscope-$page "$top/scripts/$page" --help >"$work/want"
		sed "s|$prefix|$dest&|" "$dest$prefix/bin/ptscope-$page" >"$work/command"
		sh "$work/command" --help >"$work/got"
		same_lines "ptscope-$page --help" "$work/want" "$work/got"
	done
	sed -nE 's/^ {1,2}(--[a-z-]+).*/\1/p' <("$top/scripts/lab" --help) | sort >"$work/want"
	sed -nE '/^\.SH OPT/,/^\.SH ENV/s/^\.B (\\-\\-[a-z\\-]+).*/\1/p' "$top/scripts/ptscope-lab.1" |
		tr -d "\\\\" | grep -vx -- '--numa and' | sort -u >"$work/got"
	same_lines "ptscope-lab: options in --help and man page" "$work/want" "$work/got"
	groff -man -ww -z -Tutf8 "$top"/scripts/*.1 2>"$work/warnings"
	equal "ptscope-lab, ptscope-kmod: groff's warnings" "$(wc -l <"$work/warnings")" 0
}

# unit KEY - prints its value in the example, where there is only one
unit()
{
	sed -n "s/^$1=//p" "$dest$prefix/share/doc/ptscope/examples/ptrace-pf-stat.service"
}

# The example is a unit that systemd takes, once the program is where it says; and its command does
# what it is there for with the rights that the unit leaves it.
part_unit()
{
	local command out=/var/lib/prometheus/node-exporter/ptrace-pf.prom caps pid status tries

	sed "s|$prefix/bin|$bin|" "$dest$prefix/share/doc/ptscope/examples/ptrace-pf-stat.service" \
		>"$work/ptrace-pf-stat.service"
	ends_with "systemd-analyze verify of the example" 0 \
		systemd-analyze verify --man=no "$work/ptrace-pf-stat.service"
	equal "... lines that it has to say" "$(cat "$work/out" "$work/err" | wc -l)" 0
	caps=$(unit CapabilityBoundingSet | sed 's/CAP_/+/g; s/ /,/g' | tr '[:upper:]' '[:lower:]')
	command=$(unit ExecStart | sed "s|$prefix/bin|$bin|; s|15s|1s|; s|$out|$work/collected/page.prom|")
	# As the collector's folder is: another user's.
	mkdir -m 755 "$work/collected" && chmod 711 "$work" && chown 65534 "$work/collected"
	# shellcheck disable=SC2086 # words
	setpriv --bounding-set "-all,$caps" --inh-caps=-all --no-new-privs \
		$command >"$work/out" 2>"$work/err" &
	pid=$!
	for ((tries = 0; tries < 100; tries++)); do
		[[ -s $work/collected/page.prom ]] && break
		sleep 0.1
	done
	kill "$pid"
	wait "$pid"
	status=$?
	equal "stopped: status" "$status" "$(unit SuccessExitStatus)"
	cat "$work/err"
	at_least "the page that it wrote, as such a unit: faults counted" \
		"$(awk '/^ptrace_pf_faults_total/ { n += $NF } END { print n + 0 }' "$work/collected/page.prom")" 1
}

# The sources that are installed are those that scripts/kmod builds; make check-package builds them.
part_module()
{
	local sources=$dest$prefix/src/ptscope-$version built

	built=$(dirname "$("$top/scripts/kmod" 6.12)")
	(cd "$built" && find . \( -name '*.[ch]' ! -name '*.mod.c' -o -name Kbuild \) | sort |
		xargs sha256sum) >"$work/want"
	(cd "$sources" && find . -type f ! -name dkms.conf | sort | xargs sha256sum) >"$work/got"
	same_lines "the module's sources, installed and built" "$work/want" "$work/got"
	# shellcheck disable=SC2016 # the other shell expands it
	equal "dkms.conf" "$(bash -c '. "$1"
		echo "$PACKAGE_NAME $PACKAGE_VERSION ${BUILT_MODULE_NAME[*]}"' sh "$sources/dkms.conf" \
		2>&1)" "ptscope $version ptremap ptremap_kvm"
}

part_uninstall()
{
	mkdir -p "$dest$prefix/share/doc/other" && touch "$dest$prefix/share/doc/other/file"
	install_files uninstall
	equal "make uninstall: what is left" "$(cd "$dest" && find . ! -type d)" \
		".$prefix/share/doc/other/file"
	equal "make uninstall: folders of its own that are left" \
		"$(find "$dest" \( -name 'ptscope*' -o -name ptw -o -name ptremap \) ! -path "$dest$prefix" |
			wc -l)" 0
}

# has WHAT FILE PATTERN COMMAND... - what the command says of the file matches
has()
{
	at_least "${2##*/}: $1" "$("${@:4}" "$2" 2>/dev/null | grep -cE -- "$3")" 1
}

part_hardening()
{
	local file

	for file in "$pf" "$bin/ptremap" "$bin"/libptw.so "$bin"/libptremap.so; do
		has "position independent" "$file" 'Type: +DYN' readelf -hW
		has "relocations read-only" "$file" 'GNU_RELRO' readelf -lW
		has "... all of them, at the start" "$file" 'BIND_NOW' readelf -dW
		has "no executable stack" "$file" 'GNU_STACK .* RW ' readelf -lW
		has "stack protector" "$file" '__stack_chk_fail' readelf -sW
		equal "${file##*/}: segments that are written and run" \
			"$(readelf -lW "$file" | grep -c 'LOAD.* RWE ')" 0
	done
	for file in "$pf" "$bin/ptremap"; do
		has "an executable" "$file" 'Flags:.*PIE' readelf -dW
		has "fortified" "$file" '__(printf|memcpy|snprintf)_chk' readelf -sW
	done
}

# The same bytes from a copy of the source that lies elsewhere, and from another build folder: all
# BPF programs and what else is made in few seconds; make check-package does the same with everything.
part_reproducible()
{
	local copy=$work/elsewhere file bad=0 bpf
	local files=(libptw.a libptw.so libptremap.so obj/user/trace/rule_caller.o obj/user/html/assets.o)

	for bpf in "$top"/bpf/*.bpf.c; do
		bpf=bpf/$(basename "$bpf" .bpf.c)
		files+=("$bpf.bpf.o" "$bpf.skel.h")
	done
	mkdir "$copy"
	(cd "$top" && cp -r Makefile bpf user kmod-helper vmlinux scripts "$copy" && mkdir "$copy/tests")
	make -C "$copy" --no-print-directory O="$work/objects" "${files[@]/#/$work/objects/}" \
		>"$work/log" 2>&1
	equal "build elsewhere: status" $? 0
	for file in "${files[@]}"; do
		cmp "$bin/$file" "$work/objects/$file" || bad=$((bad + 1))
	done
	equal "files that differ, of ${#files[@]} built elsewhere" "$bad" 0
	equal "programs that name the build's folder" \
		"$(grep -lF -- "$top/" "$pf" "$bin/ptremap" "$bin"/lib*.so | wc -l)" 0
}

# sbom FILTER [ARG]... - what jq makes of the list, text
sbom()
{
	jq -r "$@" "$bin/ptscope.spdx.json"
}

# owners - prints the packages of the files whose names it reads
owners()
{
	while read -r file; do
		dpkg -S "$(readlink -f "$file")" 2>/dev/null || dpkg -S "$(readlink -f "$file" | sed 's|^/usr||')"
	done | sed 's/:.*//' | sort -u
}

# needed FILE - prints the packages of the libraries that its dynamic section asks for
needed()
{
	ldd "$1" >"$work/ldd"
	readelf -dW "$1" | sed -n 's/.*(NEEDED).*\[\(.*\)\]/\1/p' | while read -r name; do
		awk -v name="$name" '$1 == name { print $3 }' "$work/ldd"
	done | owners
}

# shellcheck disable=SC2016 # jq and dpkg-query expand it
part_sbom()
{
	local file

	SOURCE_DATE_EPOCH=0 make -C "$top" --no-print-directory O="$bin" sbom >"$work/log" 2>&1
	equal "make sbom: status" $? 0
	equal "form and time" "$(sbom '.spdxVersion + " " + .creationInfo.created')" \
		"SPDX-2.3 1970-01-01T00:00:00Z"
	equal "relations to what is not there" "$(sbom '[.SPDXID, (.packages, .files)[].SPDXID] as $ids |
		[.relationships[] | .spdxElementId, .relatedSpdxElement] - $ids | length')" 0
	for file in ptrace-pf ptremap libptw.so libptremap.so; do
		equal "$file: SHA256" "$(sbom --arg f "./$file" '.files[] | select(.fileName == $f) |
			.checksums[] | select(.algorithm == "SHA256").checksumValue')" \
			"$(sha256sum "$bin/$file" | cut -d ' ' -f 1)"
		sbom --arg f "SPDXRef-File-$file" '.relationships[] | select(.spdxElementId == $f and
			.relationshipType == "DYNAMIC_LINK").relatedSpdxElement[16:]' | sort >"$work/got"
		needed "$bin/$file" >"$work/want"
		same_lines "$file: packages of the libraries that it loads" "$work/want" "$work/got"
	done
	equal "in the programs themselves" "$(sbom '[.relationships[] | select(.relationshipType ==
		"STATIC_LINK" and (.spdxElementId | test("File-pt"))).relatedSpdxElement[16:]] | unique[]' |
		xargs)" "$(for file in crt1.o crtbegin.o libiberty.a; do
			"${CC:-gcc}" -print-file-name="$file"
		done | owners | xargs)"
	sbom '.packages[] | select(.supplier == "Organization: Debian") | "\(.name) \(.versionInfo)"' |
		sort >"$work/got"
	cut -d ' ' -f 1 "$work/got" | xargs dpkg-query -W -f '${Package} ${Version}\n' | sort -u >"$work/want"
	same_lines "versions" "$work/want" "$work/got"
	equal "packages without a licence, of those that are linked" "$(sbom '[.relationships[] |
		select(.relationshipType | endswith("_LINK")).relatedSpdxElement] as $linked | [.packages[] |
		select((.SPDXID | IN($linked[])) and .licenseDeclared == "NOASSERTION").name] | length')" 0
}

parts install unit module uninstall hardening reproducible sbom
finish
