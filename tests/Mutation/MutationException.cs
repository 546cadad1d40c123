// Why can there be no result?
namespace KeyEvt.Mutation;

/// <summary>Something is wrong that is not the mutants' doing. The text says what, to a person.</summary>
internal sealed class MutationException(string message) : Exception(message);
