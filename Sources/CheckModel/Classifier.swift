/// Tells errors apart: from a number and its circumstances to one class, one fault and one hint.
///
/// The functions are total: whatever number comes in whatever phase, there is exactly one answer. Nothing here does I/O,
/// and the usual answers are put together from finished texts without an allocation.
public enum Classifier {
    /// The report of an error that the kernel gave.
    public static func report(for errno: Errno, in circumstances: Circumstances) -> ErrorReport {
        let entry = ErrnoCatalogue.entryOrUnknown(for: errno)
        var judgement = Judgement(entry)
        switch circumstances.phase {
        case .bind:
            judgement.judgeBind(errno, circumstances)
        case .socket:
            judgement.judgeSocket(errno, circumstances)
        case .policy, .resolve, .connect, .hold, .tls, .dialog, .done:
            judgement.judgeConnect(errno, circumstances)
            judgement.weighICMP(behind: errno, circumstances)
        }
        return judgement.report(of: entry)
    }

    /// The report of a check whose own deadline passed: never the kernel's ETIMEDOUT.
    ///
    /// While a name is being resolved it is the resolver's DNS_TIMEOUT.
    public static func deadlineReport(in circumstances: Circumstances) -> ErrorReport {
        if circumstances.phase == .resolve { return report(for: .resolverTimeout) }
        let entry = ErrnoCatalogue.entry(for: .deadline)
        var judgement = Judgement(entry)
        judgement.judgeTimeout(circumstances, isDeadline: true)
        judgement.moveFault(circumstances)
        return judgement.report(of: entry)
    }

    /// The report of a name that has no addresses.
    public static func report(for failure: ResolveFailure) -> ErrorReport {
        let usual = report(for: OwnError(failure))
        guard case .responseCode(let number) = failure else { return usual }
        return ErrorReport(
            errno: nil, name: usual.name, errorClass: usual.errorClass, fault: usual.fault, source: usual.source,
            message: "\(usual.message) (response code \(number))", hint: usual.hint, retryable: usual.retryable)
    }

    /// The report of an error that connectd names itself.
    ///
    /// For a deadline `deadlineReport(in:)` says more. The policy's report is one constant: it tells nothing about the
    /// target.
    public static func report(for error: OwnError) -> ErrorReport {
        ErrnoCatalogue.entry(for: error).report
    }
}
