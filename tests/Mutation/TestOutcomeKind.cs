// In which ways can a run of tests end?
namespace KeyEvt.Mutation;

/// <summary>The ways in which a run of tests can end.</summary>
internal enum TestOutcomeKind
{
    /// <summary>All tests passed.</summary>
    Passed,

    /// <summary>A test failed.</summary>
    Failed,

    /// <summary>The process ended without the name of a test that failed.</summary>
    Crashed,

    /// <summary>The run was stuck: it waited for nothing, or went in circles.</summary>
    Stuck,
}
