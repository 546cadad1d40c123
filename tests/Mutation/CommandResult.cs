// How did another program end?
namespace KeyEvt.Mutation;

/// <summary>How a program ended.</summary>
/// <param name="ExitCode">Null when it was stuck and was killed.</param>
/// <param name="Output">What it printed, errors too.</param>
/// <param name="Time">How long it ran.</param>
/// <param name="Processor">The processor time that it used, but for the last moment.</param>
internal sealed record CommandResult(int? ExitCode, string Output, TimeSpan Time, TimeSpan Processor);
