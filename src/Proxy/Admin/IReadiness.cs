namespace KeyEvt.Proxy.Admin;

/// <summary>What is still missing before clients can be served and events flow? One line for each thing; none = ready.</summary>
internal interface IReadiness
{
    IReadOnlyList<string> Missing();

    /// <summary>What somebody should know though it is ready. One line for each thing.</summary>
    IReadOnlyList<string> Notes();
}
