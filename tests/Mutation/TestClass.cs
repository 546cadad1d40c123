// What does one class of tests cost, and what does it reach?
namespace KeyEvt.Mutation;

/// <summary>One class of tests, as it ran without any mutant.</summary>
/// <param name="Assembly">The path of its assembly.</param>
/// <param name="Name">Its full name.</param>
/// <param name="Time">How long it ran alone, the start of the process included.</param>
/// <param name="Processor">The processor time that it used.</param>
/// <param name="Reached">The numbers of the mutants whose places it reached.</param>
internal sealed record TestClass(string Assembly, string Name, TimeSpan Time, TimeSpan Processor, IReadOnlySet<int> Reached);
