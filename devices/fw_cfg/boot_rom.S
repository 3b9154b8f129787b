/* SPDX-License-Identifier: MIT */
/*
 * The option ROM that starts a Linux kernel: a guest's processor runs it, in real mode. It has the
 * device write the kernel's parts to where they belong, and jumps into the kernel's setup. An error
 * returns to the BIOS, which tries the next boot device. items.cc puts the checksums in.
 *
 * Sources: PnP BIOS 1.0A (headers, BEV); Linux, Documentation/arch/x86/boot.rst (where what goes,
 * and how setup is entered); QEMU, docs/specs/fw_cfg.rst (the device).
 */
#define SELECT_AND_READ 0x0a
#define PART(key) ((key) << 16 | SELECT_AND_READ)
#define SETUP_SEGMENT 0x1000
#define KERNEL 0x100000

        .section .rodata.dm_boot_rom, "a"
        .globl  dm_boot_rom_begin
        .globl  dm_boot_rom_end
        .hidden dm_boot_rom_begin
        .hidden dm_boot_rom_end
        .code16
dm_boot_rom_begin:
        .byte   0x55, 0xaa
        .byte   0                       /* size in units of 512 bytes */
        lret                            /* there is nothing to initialise */
        .skip   0x1a - (. - dm_boot_rom_begin)
        .word   pnp - dm_boot_rom_begin

pnp:    .ascii  "$PnP"
        .byte   1                       /* revision */
        .byte   2                       /* length, in units of 16 bytes */
        .word   0                       /* no other header */
        .byte   0
        .byte   0                       /* checksum */
        .long   0                       /* no device */
        .word   maker - dm_boot_rom_begin
        .word   product - dm_boot_rom_begin
        .byte   0, 0, 0                 /* no class */
        .byte   0
        .word   0                       /* BCV */
        .word   0                       /* DV */
        .word   bev - dm_boot_rom_begin
        .word   0
        .word   0
maker:  .asciz  "stubdm"
product:
        .asciz  "Linux kernel of the host"

bev:    pushal
        pushw   %ds
        pushw   %es
        cld

        movl    $PART(0x17), %eax       /* setup */
        call    read_number
        jc      fail
        movl    $PART(0x18), %eax
        movl    $(SETUP_SEGMENT << 4), %edx
        call    read_part
        jc      fail

        movl    $PART(0x14), %eax       /* command line */
        call    read_number
        jc      fail
        movl    $PART(0x15), %eax
        movl    $0x20000, %edx
        call    read_part
        jc      fail

        movl    $PART(0x08), %eax       /* kernel */
        call    read_number
        jc      fail
        leal    KERNEL(%ecx), %esi      /* its end */
        movl    $PART(0x11), %eax
        movl    $KERNEL, %edx
        call    read_part
        jc      fail

        movl    $PART(0x0b), %eax       /* initial ramdisk: its size in edi */
        call    read_number
        jc      fail
        movl    %ecx, %edi
        testl   %edi, %edi
        jz      start

        movw    $SETUP_SEGMENT, %ax
        movw    %ax, %es
        xorl    %ecx, %ecx
        xorl    %edx, %edx
        movw    $0xe801, %ax            /* the end of RAM below 4 GiB */
        int     $0x15
        jc      fail
        movzwl  %dx, %eax               /* 64 KiB each, above 16 MiB */
        shll    $16, %eax
        jz      1f
        addl    $0x1000000, %eax
        jmp     2f
1:      movzwl  %cx, %eax               /* KiB above 1 MiB */
        shll    $10, %eax
        addl    $0x100000, %eax
2:      movl    %es:0x22c, %edx         /* the last byte that the kernel reaches */
        cmpl    %edx, %eax
        jbe     3f
        leal    1(%edx), %eax
3:      subl    %edi, %eax
        jc      fail
        andl    $0xfffff000, %eax
        cmpl    %esi, %eax
        jb      fail                    /* it would lie over the kernel */
        movl    %eax, %es:0x218
        movl    %edi, %es:0x21c
        movl    %eax, %edx
        movl    %edi, %ecx
        movl    $PART(0x12), %eax
        call    read_part
        jc      fail

start:  cli
        movw    $SETUP_SEGMENT, %ax
        movw    %ax, %ds
        movw    %ax, %es
        movw    %ax, %fs
        movw    %ax, %gs
        movw    %ax, %ss
        movl    $0xfff0, %esp
        ljmp    $(SETUP_SEGMENT + 0x20), $0

fail:   popw    %es
        popw    %ds
        popal
        lret

/* The number in part eax: ecx. Carry: an error. Changes eax, edx. */
read_number:
        pushl   $0
        call    where_stack_is
        movl    %ecx, %edx
        movl    $4, %ecx
        call    read_part
        popl    %ecx
        ret

/* ecx bytes of part eax, to address edx. Carry: an error. Changes eax, ecx, edx. */
read_part:
        pushw   %bp
        bswapl  %edx                    /* the operation, from its end: address, */
        pushl   %edx
        pushl   $0
        bswapl  %ecx                    /* length, */
        pushl   %ecx
        bswapl  %eax                    /* control */
        pushl   %eax
        movw    %sp, %bp
        call    where_stack_is
        bswapl  %ecx
        xorl    %eax, %eax
        movw    $0x514, %dx
        outl    %eax, %dx
        movl    %ecx, %eax
        movw    $0x518, %dx
        outl    %eax, %dx
1:      pause
        movl    (%bp), %eax
        testl   $0xfeffffff, %eax       /* 0: done; 1, most significant byte first: an error */
        jnz     1b
        addw    $16, %sp
        popw    %bp
        negl    %eax                    /* carry, unless it is 0 */
        ret

/* ecx: the address of what is on top of the caller's stack. */
where_stack_is:
        pushl   %edx
        xorl    %ecx, %ecx
        movw    %ss, %cx
        shll    $4, %ecx
        movzwl  %sp, %edx
        leal    6(%ecx,%edx), %ecx      /* behind edx and the return address */
        popl    %edx
        ret
dm_boot_rom_end:

        .section .note.GNU-stack, "", @progbits
