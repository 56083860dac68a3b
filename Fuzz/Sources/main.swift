internal import Glibc

/// What each fuzzer does with an input. The names are also those of the folders in Fuzz/corpus.
private let targets: [String: @Sendable ([UInt8]) -> Void] = [
    "answers": AnswerFuzz.run,
    "batch": BatchFuzz.run,
    "certificates": CertificateFuzz.run,
    "checks": CheckFuzz.run,
    "configuration": ConfigurationFuzz.run,
    "dialog": DialogFuzz.run,
    "heads": HeadFuzz.run,
    "json": JSONFuzz.run,
    "modules": ModulesFuzz.run,
    "ndjson": RecordFuzz.run,
    "ocsp": OCSPFuzz.run,
    "patterns": PatternFuzz.run,
    "policy": PolicyFuzz.run,
    "presets": PresetFuzz.run,
    "starttls": StartTLSFuzz.run,
    "targets": TargetFuzz.run,
    "verify": VerifyFuzz.run,
]

/// The entry point of libFuzzer as a library. It returns at the end of a replay, and ends the process otherwise.
@_silgen_name("LLVMFuzzerRunDriver")
private func runLibFuzzer(
    _ count: UnsafeMutablePointer<CInt>, _ arguments: UnsafeMutablePointer<Arguments>,
    _ target: @convention(c) (UnsafePointer<UInt8>?, Int) -> CInt
) -> CInt

private typealias Arguments = UnsafeMutablePointer<UnsafeMutablePointer<CChar>?>

/// The chosen fuzzer. libFuzzer starts itself again with the same environment, but with arguments of its own.
private let chosen: @Sendable ([UInt8]) -> Void = {
    let name = getenv("FUZZ_TARGET").map { String(cString: $0) } ?? ""
    guard let target = targets[name] else {
        print(targets.keys.sorted().joined(separator: "\n"))
        exit(name.isEmpty ? 0 : 2)
    }
    return target
}()

private func runOnce(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
    chosen(Array(UnsafeBufferPointer(start: start, count: count)))
    return 0
}

private func start() -> CInt {
    var count = CommandLine.argc
    var arguments: Arguments = CommandLine.unsafeArgv
    return runLibFuzzer(&count, &arguments, runOnce)
}

_ = chosen
exit(start())
