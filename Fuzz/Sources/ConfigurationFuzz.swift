internal import CheckModel
@testable internal import Configuration
internal import ConnectAPI
internal import Dialog
internal import NetworkTypes
internal import TLS

/// Files of the configuration, and variables of the environment. No file that they name is read.
enum ConfigurationFuzz {
    /// A problem has a message and a position in the file. Valid settings are within their ranges.
    static func run(_ bytes: [UInt8]) {
        if bytes.starts(with: "CONNECTD_".utf8) { return readEnvironment(bytes) }
        var composer = YAMLComposer(file: "connectd.yaml")
        let root = composer.compose(bytes)
        expectPositions(of: composer.problems, in: bytes)
        guard let root else { return }
        var reader = DocumentReader(SettingWriter(), file: "connectd.yaml")
        reader.read(root)
        expectPositions(of: reader.writer.problems, in: bytes)
        if reader.writer.problems.isEmpty { checkDraft(reader.writer.draft) }
        for check in reader.writer.draft.monitors.map(\.check) {
            let judged = ConfiguredCheckDecoder.decode(check.value, material: TLSMaterial(), md5Keys: [String]())
            expectPositions(of: judged.problems.map(check.problem), in: bytes)
        }
    }

    private static func readEnvironment(_ bytes: [UInt8]) {
        var variables: [String: String] = [:]
        for line in String(decoding: bytes, as: UTF8.self).split(separator: "\n") {
            let parts = line.split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
            variables[String(parts[0])] = parts.count == 2 ? String(parts[1]) : ""
        }
        var reader = EnvironmentReader(SettingWriter())
        reader.read(variables)
        for problem in reader.writer.problems { expectMessage(problem.description, atMost: 8000) }
        for warning in reader.warnings { expectMessage(warning, atMost: 8000) }
        if reader.writer.problems.isEmpty { checkDraft(reader.writer.draft) }
    }

    private static func checkDraft(_ draft: SettingsDraft) {
        for problem in draft.addressProblems(with: InheritedAddresses()) {
            expectMessage(problem.description, atMost: 8000)
        }
        let settings = draft.resolved(allowsAnonymous: false, inherited: InheritedAddresses())
        expect(!settings.listen.isEmpty, "no address to listen on")
        expect((1...1_000_000).contains(settings.limits.inFlight), "limits.in_flight")
        expect((0...1_000_000).contains(settings.limits.queue), "limits.queue")
        expect((1...60_000).contains(settings.limits.timeoutMilliseconds), "limits.timeout_ms")
        expect((0...1024).contains(settings.workers), "workers")
        expect(Set(settings.monitors.map(\.name)).count == settings.monitors.count, "two monitors of one name")
        for monitor in settings.monitors {
            expect(MonitorKey.intervalRange.contains(monitor.intervalMilliseconds), "interval_ms")
            expect(MonitorKey.countRange.contains(monitor.upAfter), "up_after")
            expect(MonitorKey.countRange.contains(monitor.downAfter), "down_after")
        }
    }
}

/// Modules in the format of blackbox_exporter.
enum ModulesFuzz {
    /// A module without a problem can be used: its dialog is compiled, and its labels have valid names.
    static func run(_ bytes: [UInt8]) {
        var composer = YAMLComposer(file: "blackbox.yml", dialect: .go)
        let root = composer.compose(bytes)
        expectPositions(of: composer.problems, in: bytes)
        for warning in composer.warnings { expectMessage(warning, atMost: 8000) }
        guard let root else { return }
        var reader = ModulesReader(file: "blackbox.yml")
        reader.read(root)
        expectPositions(of: reader.document.writer.problems, in: bytes)
        for warning in reader.warnings { expectMessage(warning, atMost: 8000) }
        guard reader.document.writer.problems.isEmpty else { return }
        for (name, module) in reader.modules { check(module, named: name) }
    }

    private static func check(_ module: ProbeModule, named name: String) {
        expect(module.name == name, "another name")
        expect(module.timeoutNanoseconds >= 0, "a negative timeout")
        expect(module.queryResponse.flatMap(\.steps).isEmpty == (module.dialog == nil), "a dialog that is not compiled")
        expect(module.sourceAddress == nil || module.prober == .tcp, "a source address without a network")
        for label in module.queryResponse.flatMap(\.labels) {
            let isName = label.name.utf8.allSatisfy { $0.isASCIILetter || $0.decimalDigit != nil || $0 == 0x5F }
            expect(isName && !label.name.isEmpty, "a label that Prometheus does not accept: \(label.name)")
        }
    }
}

/// Requires that each problem has a message, and a line of the file.
func expectPositions(of problems: [ConfigurationProblem], in bytes: [UInt8]) {
    guard !problems.isEmpty else { return }
    // LF, CR, and the last bytes of U+0085, U+2028 and U+2029, which end lines too.
    let lines = bytes.count { [0x0A, 0x0D, 0x85, 0xA8, 0xA9].contains($0) } + 2
    for problem in problems {
        expectMessage(problem.reason)
        expectMessage(problem.description, atMost: 2000 + 4 * bytes.count)
        guard let position = problem.position else { fatalError("a problem without a position: \(problem)") }
        expect((1...lines).contains(position.line) && position.column >= 1, "no such line: \(problem)")
    }
}
