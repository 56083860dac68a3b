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
        if case .shortage(let errno) = failure { return shortageReport(of: errno) }
        let usual = report(for: OwnError(failure))
        guard case .responseCode(let number) = failure else { return usual }
        return ErrorReport(
            errno: nil, name: usual.name, errorClass: usual.errorClass, fault: usual.fault, source: usual.source,
            message: "\(usual.message) (response code \(number))", hint: usual.hint, retryable: usual.retryable)
    }

    /// Before connect(2), no shortage is the target's or the name server's.
    private static func shortageReport(of errno: Errno) -> ErrorReport {
        let entry = ErrnoCatalogue.entryOrUnknown(for: errno)
        var judgement = Judgement(entry)
        judgement.set(
            .proberExhausted, fault: .prober, retryable: true,
            hint: entry.errorClass == .proberExhausted ? entry.hint : Hints.localShortage)
        return judgement.report(of: entry)
    }

    /// The report of an error that connectd names itself.
    ///
    /// For a deadline `deadlineReport(in:)` says more. The policy's report is one constant: it tells nothing about the
    /// target.
    public static func report(for error: OwnError) -> ErrorReport {
        ErrnoCatalogue.entry(for: error).report
    }

    /// For a target that is an address, where the request asks for the other family: no resolver has a part in it.
    public static var addressOfOtherFamily: ErrorReport {
        let entry = ErrnoCatalogue.entry(for: OwnError.noData)
        return ErrorReport(
            errno: nil, name: entry.name, errorClass: entry.errorClass, fault: .request, source: entry.source,
            message: "The target is an address of the other family", hint: Hints.addressOfOtherFamily, retryable: false)
    }
}
