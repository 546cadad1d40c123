namespace KeyEvt.Proxy.Admin;

/// <summary>What is missing until clients are served and events flow? One line for each thing; ready if there is none.</summary>
internal interface IReadiness
{
    IReadOnlyList<string> Missing();

    /// <summary>What an operator should know although the proxy is ready. One line for each thing.</summary>
    IReadOnlyList<string> Notes();
}
