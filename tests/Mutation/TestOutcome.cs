// How did a run of tests end?
namespace KeyEvt.Mutation;

/// <summary>How a run of tests ended.</summary>
/// <param name="Kind">The kind of end.</param>
/// <param name="Test">The first test that failed, when it is known.</param>
/// <param name="Time">How long the run took.</param>
/// <param name="Processor">The processor time that it used.</param>
internal sealed record TestOutcome(TestOutcomeKind Kind, string? Test, TimeSpan Time, TimeSpan Processor);
