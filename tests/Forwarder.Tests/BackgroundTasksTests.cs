using KeyEvt.Forwarder.Signals;
using KeyEvt.Forwarder.Tests.Feed;
using Xunit;

namespace KeyEvt.Forwarder.Tests;

/// <summary>Is the failure of a task that nobody awaits seen and said?</summary>
public sealed class BackgroundTasksTests
{
    private readonly RecordingLogger _log = new();

    [Fact]
    public void A_failure_is_said_with_its_name_and_the_number_goes_down()
    {
        var tasks = new BackgroundTasks(_log);
        var source = new TaskCompletionSource();
        tasks.Run("the task", source.Task);
        Assert.Equal(1, tasks.Count);
        source.SetException(new ArgumentException("a bug"));
        Assert.Equal(0, tasks.Count);
        var line = Assert.Single(_log.Lines);
        Assert.StartsWith("Error 2900 the task failed by a fault of the program", line, StringComparison.Ordinal);
        Assert.Contains("a bug", line, StringComparison.Ordinal);
    }

    [Fact]
    public void The_failure_of_what_was_given_up_is_for_debugging()
    {
        var tasks = new BackgroundTasks(_log);
        tasks.GiveUp("the task", Task.FromException(new IOException("gone")));
        Assert.Equal(0, tasks.Count);
        Assert.StartsWith("Debug 2901 the task", Assert.Single(_log.Lines), StringComparison.Ordinal);
    }

    [Fact]
    public void A_task_that_ends_well_or_is_cancelled_is_no_news()
    {
        var tasks = new BackgroundTasks(_log);
        tasks.Run("one", Task.CompletedTask);
        tasks.Run("two", Task.FromCanceled(new CancellationToken(canceled: true)));
        Assert.Equal(0, tasks.Count);
        Assert.Empty(_log.Lines);
    }
}
