// How do a change and its original stand side by side in one program?
namespace KeyEvt.Mutation;

/// <summary>How the switch between a change and its original is written.</summary>
internal enum MutantForm
{
    /// <summary><c>(MutantSwitch.Is(7) ? (mutated) : (original))</c>.</summary>
    Expression,

    /// <summary><c>(MutantSwitch.Is(7) ^ (original))</c>: a condition is negated. The original stands there once, so it may declare variables.</summary>
    Negation,

    /// <summary><c>{ if (MutantSwitch.Is(7)) { mutated } else original }</c>.</summary>
    Statement,
}
