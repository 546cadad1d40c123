using System.IO.Pipelines;
using KeyEvt.Forwarder.Redis;
using Xunit;

namespace KeyEvt.Forwarder.Tests.Feed;

/// <summary>What happens to commands whose connection ends while they are written?</summary>
public sealed class CommandPipelineTests
{
    [Fact]
    public async Task A_writer_that_its_transport_has_completed_is_a_connection_that_has_ended()
    {
        var pipe = new Pipe();
        await pipe.Writer.CompleteAsync(new IOException("the socket has gone"));
        var commands = new CommandPipeline(TimeProvider.System);
        commands.Send(static (_, _) => { }, "PING");

        var fault = await Assert.ThrowsAsync<RedisFaultException>(() => commands.WriteAsync(pipe.Writer, TestContext.Current.CancellationToken));
        Assert.Equal(RedisFaultKind.Closed, fault.Fault.Kind);
    }
}
