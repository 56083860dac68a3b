import ErrorCatalogue
import Testing

@testable import Fleet

@Suite struct SurveyVerdictTests {
    private let ok = SurveyVote(place: "a", labels: ["region": "eu"], isOK: true)
    private let refused = SurveyVote(place: "b", labels: ["region": "us"], isOK: false, fault: .target)
    private let silent = SurveyVote(place: "c", isOK: false, isSilent: true, fault: .network)
    private let exhausted = SurveyVote(place: "d", isOK: false, fault: .prober)

    private func rejected(by router: String) -> SurveyVote {
        SurveyVote(place: "e", isOK: false, fault: .network, lastResponder: router)
    }

    @Test func fewerThanTheQuorumAreUndetermined() {
        #expect(SurveyVerdict([ok], quorum: 2) == SurveyVerdict(.undetermined))
        #expect(SurveyVerdict([], quorum: 1) == SurveyVerdict(.undetermined))
    }

    @Test(arguments: [Fault.prober, .request, .resolver])
    func faultsThatDoNotCount(fault: Fault) {
        let vote = SurveyVote(place: "x", isOK: false, fault: fault)
        #expect(SurveyVerdict([vote], quorum: 1).conclusion == .undetermined)
        #expect(SurveyVerdict([vote, ok], quorum: 1) == SurveyVerdict(.up))
        #expect(SurveyVerdict([vote, refused], quorum: 1) == SurveyVerdict(.down, .target))
    }

    @Test func onlyProbersAtFault() {
        #expect(SurveyVerdict([exhausted, exhausted], quorum: 1) == SurveyVerdict(.undetermined, .prober))
    }

    @Test func allOKIsUp() {
        #expect(SurveyVerdict([ok, ok], quorum: 2) == SurveyVerdict(.up))
    }

    @Test func oneFaultOfTheTargetIsEnough() {
        #expect(SurveyVerdict([silent, refused], quorum: 1) == SurveyVerdict(.down, .target))
    }

    @Test func theSameLastResponderIsThePath() {
        let one = rejected(by: "10.0.0.1")
        #expect(SurveyVerdict([one, one], quorum: 1) == SurveyVerdict(.down, .path))
        #expect(SurveyVerdict([one, rejected(by: "10.0.0.2")], quorum: 1) == SurveyVerdict(.down, .unknown))
    }

    @Test func allSilentIsUnknown() {
        #expect(SurveyVerdict([silent, silent], quorum: 1) == SurveyVerdict(.down, .unknown))
    }

    @Test func someOfEachIsPartial() {
        let label = SurveyVerdict.SeparatingLabel(name: "region", value: "us")
        #expect(SurveyVerdict([ok, refused], quorum: 1) == SurveyVerdict(.partial, label: label))
        #expect(SurveyVerdict([ok, silent], quorum: 1) == SurveyVerdict(.partial))
    }
}
