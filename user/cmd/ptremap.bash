# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash
# bash completion for ptremap. It needs nothing but bash.

# _ptremap_options COMMAND - sets $flags, $valued: its options without and with a value
_ptremap_options()
{
	local space='--image --base --cpu --cr0 --cr3 --cr4 --efer --eptp --ncr3 --host-cr0
		--host-cr4 --host-efer --root --pid'

	local vm='--gva --gpa' vm_valued='--vm --vcpu --vm-fd'
	local format='--no-nx --no-1g --amd --exec-only --mbec' live='--kernel --user-root'

	flags='-h --help' valued=''
	case $1 in
	decode | walk | translate | dump | diff)
		flags+=" $format"
		valued='--format --maxphyaddr --enc-bit'
		;;&
	walk | translate | dump | diff)
		flags+=" $live $vm"
		valued+=" $space $vm_valued"
		;;&
	decode)
		flags+=' --json'
		valued+=' --level --linux'
		;;
	walk)
		flags+=' --json --wp --smep --smap --ac'
		valued+=' --access --pkru --pkrs --linux'
		;;
	translate) ;;
	dump)
		flags+=' --json --tree --pages --holes --perms --ad'
		valued+=' --limit'
		;;
	diff)
		flags+=' --json --perms --ad'
		valued+=' --limit'
		;;
	snapshot)
		flags+=" $live"
		valued+=' --pid -o --output'
		;;
	kind)
		flags+=' --json --pa'
		;;
	read)
		flags+=' --raw --fault-in'
		valued+=" --pa --mmio --pid --va --gva --gpa $vm_valued"
		;;
	write)
		flags+=' --force --partial'
		valued+=" --pa --mmio --pid --va --gva --gpa $vm_valued --hex --file"
		;;
	protect | map | graft | swap | trap | apply)
		flags+=' --json --dry-run --keep'
		valued+=' --for'
		;;&
	protect | map | swap | trap)
		valued+=' --pid --expect --level'
		;;&
	protect)
		valued+=' --set --clear'
		;;
	map)
		flags+=' --fresh'
		valued+=' --frame-of --phys --mmio --force-frame'
		;;
	graft)
		flags+=' --fresh --low'
		valued+=' --pid --frames-of --phys --mmio --len --prot --cache'
		;;
	mirror)
		flags+=' --write'
		valued+=' --vm --gva --into --at --vcpu --vm-fd --refresh --for'
		;;
	swap)
		valued+=' --with'
		;;
	ept)
		flags+=' --json --dry-run --rehearse --keep --split --sticky --fresh'
		valued+=' --for --vm --vm-fd --gpa --len --level --set --clear --cache --frame-of
			--with --expect'
		;;
	trap | apply) ;;
	list)
		flags+=' --json'
		;;
	undo)
		flags+=' --all'
		;;
	rule)
		flags+=' --json --keep --all'
		valued+=' --vm --vm-fd --pid --on --do --for'
		;;
	watch)
		flags+=' --json'
		valued+=' --pid --id --vm --vm-fd --gpa --on --for --count'
		;;
	*)
		flags='' valued=''
		;;
	esac
}

# _ptremap_value OPTION - what can follow it; 1: it takes no value
_ptremap_value()
{
	local done='' option='' key

	for option in $valued; do
		[[ $option == "$1" ]] && break
	done
	[[ $1 && $option == "$1" ]] || return 1
	case $1 in
	--image | --file | -o | --output)
		mapfile -t COMPREPLY < <(compgen -f -- "$cur")
		compopt -o filenames 2>/dev/null
		;;
	--format)
		mapfile -t COMPREPLY < <(compgen -W 'none 32bit 32bit-pse 32bit-pse36 pae 4level
			5level ept4 ept5 npt-32bit npt-32bit-pse npt-32bit-pse36 npt-pae npt-4level
			npt-5level' -- "$cur")
		;;
	--pid | --vm | --into)
		mapfile -t COMPREPLY < <(compgen -W "$(cd /proc && printf '%s ' [0-9]*)" -- "$cur")
		;;
	--prot)
		mapfile -t COMPREPLY < <(compgen -W 'r rw rx rwx' -- "$cur")
		;;
	--cache | --set | --clear)
		if [[ ${COMP_WORDS[1]} == ept ]]; then
			[[ $1 == --cache ]] && key='uc wc wt wp wb' || key='r w x'
			mapfile -t COMPREPLY < <(compgen -W "$key" -- "$cur")
			return
		fi
		;;&
	--cache)
		mapfile -t COMPREPLY < <(compgen -W 'wb uc wc' -- "$cur")
		;;
	--mmio)
		[[ ${COMP_WORDS[1]} == @(graft|map) ]] && return # an address there, a width elsewhere
		mapfile -t COMPREPLY < <(compgen -W '1 2 4 8' -- "$cur")
		;;
	--set | --clear)
		[[ $cur == *,* ]] && done=${cur%,*},
		[[ $1 == --set ]] && key=PK= || key=PK
		mapfile -t COMPREPLY < <(compgen -P "$done" -W "RW PWT PCD A D PAT NX $key" -- "${cur##*,}")
		compopt -o nospace 2>/dev/null
		;;
	--force-frame)
		[[ $cur == *,* ]] && done=${cur%,*},
		mapfile -t COMPREPLY < <(compgen -P "$done" -W 'free table slab reserved kernel' -- "${cur##*,}")
		compopt -o nospace 2>/dev/null
		;;
	--access)
		[[ $cur == *,* ]] && done=${cur%,*},
		mapfile -t COMPREPLY < <(compgen -P "$done" -W 'r w x u s implicit shstk' -- "${cur##*,}")
		compopt -o nospace 2>/dev/null
		;;
	esac
	return 0
}

_ptremap()
{
	local cur=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} flags valued

	COMPREPLY=()
	if ((COMP_CWORD == 1)); then
		mapfile -t COMPREPLY < <(compgen -W \
			'decode walk translate dump diff snapshot kind read write
			protect map graft mirror swap ept trap apply list undo rule watch help --help --version' -- "$cur")
		return
	fi
	_ptremap_options "${COMP_WORDS[1]}"
	# bash cuts "--format=4level" at the "=".
	if [[ $cur == = ]]; then
		cur=''
	elif [[ $previous == = ]]; then
		previous=${COMP_WORDS[COMP_CWORD - 2]}
	fi
	_ptremap_value "$previous" && return
	if [[ $cur == -* || " diff apply rule " != *" ${COMP_WORDS[1]} "* ]]; then
		mapfile -t COMPREPLY < <(compgen -W "$flags $valued" -- "$cur")
	else
		mapfile -t COMPREPLY < <(compgen -W "$flags $valued" -f -- "$cur")
	fi
}

complete -F _ptremap ptremap
