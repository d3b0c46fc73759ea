/*
 * Ends interrupts that a CPU of the emulated node can never end by itself.
 *
 * QEMU may lose what a CPU writes to its local APIC, most likely while the registers of a PCI device come or go. Where that was the
 * end of an interrupt, no other of its class or a lower one comes on that CPU any more, and no tick of its timer: what waits there hangs.
 * No program runs while an interrupt is in service on its CPU, so one that a program finds there is such a one. Two processes look,
 * twice a second each, and sleep on different CPUs: the timer that should wake one of them may be the one that stands still.
 *
 * Local APIC: Intel SDM volume 3, "Advanced Programmable Interrupt Controller", table of register addresses. Needs iomem=relaxed.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

enum {
	APIC_BASE = 0xfee00000,
	APIC_EOI = 0xb0,
	APIC_ISR = 0x100,
	ISR_WORDS = 8,
	ISR_STEP = 0x10,
	LOOK_MICROSECONDS = 500000,
};

static volatile uint32_t *apic_register(volatile uint8_t *apic, int offset)
{
	return (volatile uint32_t *)(apic + offset);
}

static int go_to(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	return sched_setaffinity(0, sizeof(set), &set);
}

static int is_in_service(volatile uint8_t *apic)
{
	for (int word = 0; word < ISR_WORDS; word++)
		if (*apic_register(apic, APIC_ISR + word * ISR_STEP) != 0)
			return 1;
	return 0;
}

static void guard(volatile uint8_t *apic, int cpus, int home)
{
	for (;;) {
		for (int cpu = 0; cpu < cpus; cpu++) {
			/* One that is offline. */
			if (go_to(cpu) != 0)
				continue;
			for (; is_in_service(apic); *apic_register(apic, APIC_EOI) = 0)
				dprintf(STDERR_FILENO, "lab: CPU %d could not end an interrupt: ended\n", cpu);
		}
		go_to(home);
		usleep(LOOK_MICROSECONDS);
	}
}

int main(void)
{
	struct sched_param priority = { .sched_priority = 50 };
	int cpus = (int)sysconf(_SC_NPROCESSORS_CONF);
	int memory = open("/dev/mem", O_RDWR | O_SYNC | O_CLOEXEC);
	volatile uint8_t *apic = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, memory, APIC_BASE);

	/* Where the tick stands still, only a higher class of scheduling takes the CPU from what runs. */
	if (apic == MAP_FAILED || sched_setscheduler(0, SCHED_FIFO, &priority) != 0) {
		perror("apic-guard");
		return EXIT_FAILURE;
	}
	guard(apic, cpus, fork() == 0 ? cpus / 2 : 0);
}
