import ArgumentParser
import CLinux
import Glibc
import NetworkTypes
import SocketIO

/// The option `--file` of `check` and `wait`.
struct TargetFileOption: ParsableArguments {
    @Option(
        help: """
            Read more targets from a file, one per line; - is standard input. A line can end with expect=OUTCOME. # starts \
            a comment. A line that starts with { is a JSON request, as in POST /v1/checks.
            """,
        completion: .file())
    private var file: [String] = []

    /// The file's name; nil if there is none.
    var name: String? { file.first }

    func validate() throws {
        if file.count > 1 {
            throw ValidationError("--file can be used once: join the files, as in `cat a b | connectd check --file -`")
        }
    }
}

/// The options of `check` that choose among many targets.
struct ListArguments: ParsableArguments {
    @Option(
        help: ArgumentHelp(
            "The ports of each target without a port: 80,443,8000-8100,u:53 (u: is UDP).", valueName: "ports"),
        transform: PortList.init(parsing:))
    var ports: PortList?

    @Flag(
        help: """
            Check every address of a CIDR, such as 10.0.0.0/24:443; a CIDR without a port has those of --ports. At most \
            65536 addresses in one run.
            """)
    var expand = false

    @Option(
        help: ArgumentHelp(
            """
            Do not check this host, address, CIDR or target as written; @FILE reads a list of them. Can be repeated.
            """, valueName: "target"))
    var exclude: [String] = []

    @Option(
        help: ArgumentHelp(
            "Skip the targets that have a result in this output of an earlier check --ndjson.", valueName: "file"),
        completion: .file(extensions: ["ndjson"]))
    var skipDone: String?

    /// The checks of the targets.
    /// - Throws: `ValidationError` with all problems, or if there is no target.
    func plan(_ targets: [String], file: String?, _ template: RequestTemplate) throws -> CheckPlan {
        let exclusions = exclude.isEmpty ? nil : try ExclusionList(exclude)
        let finished = try skipDone.map(FinishedTargets.init(file:))
        var list = TargetList(ports: ports, expandsNetworks: expand)
        let problems = try list.append(targets, file: file)
        let plan = try CheckPlan(list, template, excluding: exclusions, skipping: finished, problems)
        if plan.count == 0, plan.skipped.count == 0 {
            throw ValidationError("no target left: --exclude excludes all \(list.count) targets")
        }
        return plan
    }

    /// Whether standard output appends to the file of `--skip-done`, and that file ends within a line: its run was killed.
    var appendsToPartOfLine: Bool {
        guard let skipDone, let file = try? Descriptor.openForReading(Array(skipDone.utf8)) else { return false }
        var status = stat()
        guard let identity = file.fileIdentity(), fstat(STDOUT_FILENO, &status) == 0,
            identity == FileIdentity(device: UInt64(status.st_dev), inode: UInt64(status.st_ino))
        else { return false }
        var last: UInt8 = 0
        return status.st_size > 0 && pread(file.rawValue, &last, 1, status.st_size - 1) == 1 && last != 0x0A
    }

    /// The files that these options read, with the option of each.
    var inputs: [(option: String, file: String)] {
        exclude.filter { $0.hasPrefix("@") }.map { ("--exclude", String($0.dropFirst())) }
            + [skipDone].compactMap { $0 }.map { ("--skip-done", $0) }
    }
}

extension TargetList {
    /// Adds all targets of a command.
    /// - Returns: The problems of arguments and lines.
    /// - Throws: `ValidationError` if there is no target, or the file cannot be read.
    mutating func append(_ arguments: [String], file: String?) throws -> ProblemList {
        var problems = ProblemList()
        append(arguments: arguments, &problems)
        if let file { try append(file: file, &problems) }
        if count == 0 {
            try problems.throwIfAny()
            throw ValidationError("no target given: name one, such as host:443, or read them from a file with --file")
        }
        return problems
    }
}
