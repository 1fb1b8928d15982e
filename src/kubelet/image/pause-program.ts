/**
 * The program that holds a pod's namespaces: a static ELF executable of a few hundred bytes, put together here because
 * users' machines have no compiler and no registry. It does what upstream's pause does: exits with 0 on SIGTERM and
 * SIGINT, reaps orphans (it is process 1 of pods that share their PID namespace), and sleeps otherwise.
 *
 * It blocks SIGINT, SIGTERM and SIGCHLD, then waits with rt_sigtimedwait for one of them:
 *
 *     rt_sigprocmask(SIG_BLOCK, &mask, NULL, 8)
 *     wait:  signal = rt_sigtimedwait(&mask, NULL, NULL, 8)
 *            if signal is SIGINT or SIGTERM: exit(0)
 *     reap:  if wait4(-1, NULL, WNOHANG, NULL) > 0: goto reap
 *            goto wait
 */
export function pauseProgram(architecture: "amd64" | "arm64"): Uint8Array {
  return architecture === "amd64" ? elf(machineAmd64, amd64Code()) : elf(machineArm64, arm64Code());
}

const machineAmd64 = 62;
const machineArm64 = 183;
const headerSize = 64 + 56;
const loadAddress = 0x400000;
const codeAddress = loadAddress + headerSize;

const sigInt = 2;
const sigTerm = 15;
const sigChild = 17;
/** A kernel signal set: bit n - 1 for signal n. */
const mask = (1 << (sigInt - 1)) | (1 << (sigTerm - 1)) | (1 << (sigChild - 1));
const maskBytes = [mask & 255, (mask >> 8) & 255, (mask >> 16) & 255, 0, 0, 0, 0, 0];

const littleEndian = (value: number) => [0, 8, 16, 24].map((shift) => (value >>> shift) & 255);

function amd64Code(): number[] {
  // The mask lies behind the code, whose length is known only when it is complete.
  const assemble = (maskAddress: number): number[] => {
    const loadMask = (register: number) => [0xb8 + register, ...littleEndian(maskAddress)];
    const setNumber = (value: number) => [0xb8, ...littleEndian(value)]; // mov eax, value
    const maskSize = [0x41, 0xba, ...littleEndian(8)]; // mov r10d, 8
    const call = [0x0f, 0x05]; // syscall
    const [rdi, rsi] = [7, 6];
    const block = [
      [0x31, 0xff], // xor edi, edi (SIG_BLOCK)
      loadMask(rsi),
      [0x31, 0xd2], // xor edx, edx
      maskSize,
      setNumber(14),
      call,
    ].flat();
    const wait = [
      loadMask(rdi),
      [0x31, 0xf6, 0x31, 0xd2], // xor esi, esi; xor edx, edx
      maskSize,
      setNumber(128),
      call,
    ].flat();
    const reap = [
      [0x83, 0xcf, 0xff], // or edi, -1
      [0x31, 0xf6], // xor esi, esi
      [0xba, ...littleEndian(1)], // mov edx, WNOHANG
      [0x45, 0x31, 0xd2], // xor r10d, r10d
      setNumber(61),
      call,
      [0x85, 0xc0], // test eax, eax
    ].flat();
    const loop = reap.length + 2;
    const tail = [
      [0x7f, 256 - loop], // jg reap
      [0xeb, 256 - (wait.length + 10 + loop + 2)], // jmp wait
    ].flat();
    const toExit = reap.length + tail.length;
    const decide = [
      [0x83, 0xf8, sigInt, 0x74, toExit + 5], // cmp eax, SIGINT; je exit
      [0x83, 0xf8, sigTerm, 0x74, toExit], // cmp eax, SIGTERM; je exit
    ].flat();
    const exit = [[0x31, 0xff], setNumber(60), call].flat();
    return [block, wait, decide, reap, tail, exit].flat();
  };
  const length = assemble(0).length;
  return [...assemble(codeAddress + length), ...maskBytes];
}

function arm64Code(): number[] {
  const move = (register: number, value: number) => 0xd2800000 | (value << 5) | register; // movz
  const supervisorCall = 0xd4000001;
  const number = 8;
  const words: number[] = [];
  const emit = (...added: readonly number[]) => void words.push(...added);
  const total = 25;
  const addressOfMask = (register: number) => {
    const distance = (total - words.length) * 4;
    return 0x10000000 | ((distance & 3) << 29) | ((distance >> 2) << 5) | register; // adr
  };
  const compare = (value: number) => 0xf100001f | (value << 10); // cmp x0, value
  const branch = (condition: number, to: number) => {
    return 0x54000000 | (((to - words.length) & 0x7ffff) << 5) | condition;
  };
  const [equal, greater] = [0, 12];
  const exitAt = 22;
  emit(move(0, 0));
  emit(addressOfMask(1));
  emit(move(2, 0), move(3, 8), move(number, 135), supervisorCall);
  const waitAt = words.length;
  emit(addressOfMask(0));
  emit(move(1, 0), move(2, 0), move(3, 8), move(number, 137), supervisorCall);
  emit(compare(sigInt));
  emit(branch(equal, exitAt));
  emit(compare(sigTerm));
  emit(branch(equal, exitAt));
  return finishArm64({ words, emit, move, supervisorCall, compare, branch, greater, waitAt, exitAt, total });
}

function finishArm64(assembler: {
  words: number[];
  emit: (...added: readonly number[]) => void;
  move: (register: number, value: number) => number;
  supervisorCall: number;
  compare: (value: number) => number;
  branch: (condition: number, to: number) => number;
  greater: number;
  waitAt: number;
  exitAt: number;
  total: number;
}): number[] {
  const { words, emit, move, supervisorCall, compare, branch } = assembler;
  const number = 8;
  const minusOne = 0x92800000; // movn x0, 0
  const always = 14;
  const reapAt = words.length;
  emit(minusOne, move(1, 0), move(2, 1), move(3, 0), move(number, 260), supervisorCall, compare(0));
  emit(branch(assembler.greater, reapAt));
  emit(branch(always, assembler.waitAt));
  while (words.length < assembler.exitAt) emit(0xd503201f); // nop
  emit(move(0, 0), move(number, 93), supervisorCall);
  return [...words.flatMap(littleEndian), ...maskBytes];
}

/** One loadable segment that holds the headers and the code. */
function elf(machine: number, code: readonly number[]): Uint8Array {
  const file = new DataView(new ArrayBuffer(headerSize + code.length));
  const put16 = (at: number, value: number) => file.setUint16(at, value, true);
  const put32 = (at: number, value: number) => file.setUint32(at, value, true);
  const put64 = (at: number, value: number) => file.setBigUint64(at, BigInt(value), true);
  [0x7f, 0x45, 0x4c, 0x46, 2, 1, 1].forEach((byte, index) => file.setUint8(index, byte));
  put16(16, 2); // executable
  put16(18, machine);
  put32(20, 1);
  put64(24, codeAddress);
  put64(32, 64); // program headers
  put16(52, 64);
  put16(54, 56);
  put16(56, 1);
  put16(58, 64);
  put32(64, 1); // PT_LOAD
  put32(68, 5); // readable, executable
  put64(80, loadAddress);
  put64(88, loadAddress);
  put64(96, file.byteLength);
  put64(104, file.byteLength);
  put64(112, 0x1000);
  code.forEach((byte, index) => file.setUint8(headerSize + index, byte));
  return new Uint8Array(file.buffer);
}
