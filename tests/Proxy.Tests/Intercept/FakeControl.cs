using KeyEvt.Forwarder;
using KeyEvt.Forwarder.Agreement;
using KeyEvt.Forwarder.Config;

namespace KeyEvt.Proxy.Tests.Intercept;

/// <summary>An engine that does nothing but remember.</summary>
internal sealed class FakeControl : IForwarderControl
{
    public ForwarderConfig Config { get; set; } = new();

    public ConnectResult ConnectResult { get; set; } = new(0, "");

    public bool IsConnected { get; set; }

    /// <summary>For each reset, whether it was that of MODULE UNLOAD.</summary>
    public List<bool> Resets { get; } = [];

    /// <summary>Why the group refuses every change; null: it does not.</summary>
    public string? Refusal { get; set; }

    public IReadOnlyList<InfoSection> Info { get; set; } = [];

    public Task ConfigureAsync(Func<ForwarderConfig, ForwarderConfig> change)
    {
        RefuseIfDue();
        Config = change(Config);
        return Task.CompletedTask;
    }

    public Task<ConnectResult?> ConnectAsync(Func<ForwarderConfig, ForwarderConfig?> change, CancellationToken cancellationToken)
    {
        RefuseIfDue();
        var next = change(Config);
        Config = next ?? Config;
        return Task.FromResult(next is null ? default(ConnectResult?) : ConnectResult);
    }

    public Task<bool> DisconnectAsync()
    {
        RefuseIfDue();
        return Task.FromResult(IsConnected);
    }

    public Task ResetAsync(bool isUnloading)
    {
        RefuseIfDue();
        Resets.Add(isUnloading);
        return Task.CompletedTask;
    }

    public IReadOnlyList<InfoSection> GetInfo() => Info;

    private void RefuseIfDue()
    {
        if (Refusal is not null) throw new GroupRefusedException(Refusal);
    }
}
