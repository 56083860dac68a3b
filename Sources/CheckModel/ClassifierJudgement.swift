/// What circumstances may change about an error; it starts as the catalogue's usual case.
struct Judgement {
    var errorClass: ErrorClass
    var fault: Fault
    var retryable: Bool
    var hint: String

    init(_ entry: ErrorCatalogueEntry) {
        errorClass = entry.errorClass
        fault = entry.fault
        retryable = entry.retryable
        hint = entry.hint
    }

    mutating func set(_ errorClass: ErrorClass, fault: Fault, retryable: Bool, hint: String) {
        self.errorClass = errorClass
        self.fault = fault
        self.retryable = retryable
        self.hint = hint
    }

    /// The number, name and message are the entry's, whatever was judged: the kernel's own words stay.
    func report(of entry: ErrorCatalogueEntry) -> ErrorReport {
        ErrorReport(
            errno: entry.errno, name: entry.name, errorClass: errorClass, fault: fault, source: entry.source,
            message: entry.message, hint: hint, retryable: retryable)
    }
}
