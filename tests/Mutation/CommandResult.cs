// How did another program end?
namespace KeyEvt.Mutation;

/// <summary>How a program ended.</summary>
/// <param name="ExitCode">Null when it was killed at its deadline.</param>
/// <param name="Output">What it printed, errors too.</param>
/// <param name="Time">How long it ran.</param>
internal sealed record CommandResult(int? ExitCode, string Output, TimeSpan Time);
