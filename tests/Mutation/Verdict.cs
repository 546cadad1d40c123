// What became of a mutant?
namespace KeyEvt.Mutation;

/// <summary>What became of a mutant.</summary>
/// <param name="Mutant">The mutant.</param>
/// <param name="IsKilled">Whether the tests noticed it.</param>
/// <param name="How">The test that failed, or what else happened.</param>
internal sealed record Verdict(Mutant Mutant, bool IsKilled, string How);
