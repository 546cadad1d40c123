using System.IO.Pipelines;
using System.Net;
using KeyEvt.Proxy.Tests.Session;
using KeyEvt.Proxy.Transport;

namespace KeyEvt.Proxy.Tests.Listen;

/// <summary>A client's connection whose end never comes, until it is let go.</summary>
internal sealed class StuckConnection : IConnection
{
    private readonly MemoryConnection _inner = new();
    private readonly TaskCompletionSource _letGo = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public string RemoteName => _inner.RemoteName;

    public PipeReader Input => _inner.Input;

    public PipeWriter Output => _inner.Output;

    public IPAddress? GetLocalAddress() => _inner.GetLocalAddress();

    public void Abort() => _inner.Abort();

    public void LetGo() => _letGo.SetResult();

    public async ValueTask DisposeAsync()
    {
        await _letGo.Task;
        await _inner.DisposeAsync();
    }
}
