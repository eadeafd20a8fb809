# SPDX-License-Identifier: MIT
# What U-Boot does at each start. host_tools/image/bootloader.py makes one line of it and fills in the words between at
# signs: sectors (hexadecimal), the address where a slot is read to, its greatest size.
#
# Words of the stored environment, all of them checked here before they are used:
#   slot               a or b: the confirmed one
#   upgrade_available  1: the other slot is on trial; bootcount: how often it was started
#   rolled_back        why the last trial failed: refused, unconfirmed; the phone removes it once it has said so
# The kernel's command line gets phonetrust.slot=a|b and phonetrust.boot=normal|trial|refused|unconfirmed|fallback.

# run start: read the slot ${at}, check it, start it; it returns only if the slot is refused.
setenv start '
    setenv sector @SLOT_A@;
    if test "${at}" = b; then setenv sector @SLOT_B@; fi;
    if mmc dev @DEVICE@ && mmc read @ADDRESS@ ${sector} 1 && fdt addr @ADDRESS@ && fdt header get size totalsize; then
        setenv size 0x${size};
        if test ${size} -le @LIMIT@; then
            setexpr blocks ${size} + 1ff;
            setexpr blocks ${blocks} / 200;
            setenv bootargs;
            if mmc read @ADDRESS@ ${sector} ${blocks} && fdt addr ${fdt_addr}; then
                fdt get value bootargs /chosen bootargs;
                setenv bootargs "${bootargs} phonetrust.slot=${at} phonetrust.boot=${boot}";
                bootm @ADDRESS@ @ADDRESS@ ${fdt_addr};
            fi;
        fi;
    fi;
    echo slot ${at} cannot be started
';

if test "${slot}" = b; then setenv other a; else setenv slot a; setenv other b; fi;

# A slot on trial is started at most twice. Each try is stored before it begins; if storing fails there is no trial.
if test "${upgrade_available}" = 1; then
    setenv at ${other};
    if test "${bootcount}" = 0; then setenv bootcount 1;
    elif test "${bootcount}" = 1; then setenv bootcount 2;
    else setenv at; fi;
    setenv boot trial;
    if test -n "${at}"; then
        echo slot ${at} is on trial, try ${bootcount} of 2;
        if saveenv; then
            run start;
            setenv rolled_back refused;
            setenv upgrade_available 0;
            saveenv;
        fi;
    else
        setenv rolled_back unconfirmed;
        setenv upgrade_available 0;
        saveenv;
    fi;
fi;

setenv boot normal;
if test "${rolled_back}" = refused; then setenv boot refused;
elif test -n "${rolled_back}"; then setenv boot unconfirmed; fi;
setenv at ${slot};
run start;

setenv boot fallback;
setenv at ${other};
run start;

echo no slot can be started;
sleep 10;
reset
