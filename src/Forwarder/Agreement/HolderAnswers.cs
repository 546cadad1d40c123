using KeyEvt.Forwarder.Config;
using KeyEvt.Forwarder.Group;
using KeyEvt.Forwarder.Signals;

namespace KeyEvt.Forwarder.Agreement;

/// <summary>What does the holder say of its connection to the broker, when a client gives <c>connect</c> to any member?</summary>
/// <remarks>Thread safe.</remarks>
/// <param name="connect">Connects this program, and tells how that ended.</param>
internal sealed class HolderAnswers(IGroupVoice voice, Func<Task<ConnectResult>> connect, TimeProvider time, BackgroundTasks background)
{
    /// <summary>Longer than the holder may take to connect.</summary>
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(12);

    /// <summary>So many answers are kept that nobody waits for. One may come before its question is noted.</summary>
    private const int MostEarly = 16;

    /// <summary>Guards the fields below. Nothing is said under it: who reads an answer holds the lock of a feed, and so does who says something.</summary>
    private readonly Lock _gate = new();
    private readonly Dictionary<MessageId, TaskCompletionSource<ConnectResult>> _waiting = [];
    private readonly Queue<GroupMessage.Answer> _early = new();

    /// <summary>Asks who delivers to connect. If several do, for several nodes, the answer is that of one who could not, if there is one.</summary>
    public async Task<ConnectResult> AskAsync(CancellationToken cancellationToken)
    {
        var asked = voice.SayToMasters(static (member, number) => new GroupMessage.Ask(member, number, GroupMessage.Wish.Connect));
        if (asked.Count == 0) return new ConnectResult(3, "this program does not hear its group at the moment");

        List<Task<ConnectResult>> answers = [.. asked.Select(AnswerTo)];
        try
        {
            await Task.WhenAny(Task.WhenAll(answers), Task.Delay(Deadline, time, cancellationToken)).ConfigureAwait(false);
            cancellationToken.ThrowIfCancellationRequested();
            var results = await Task.WhenAll(answers.Where(static answer => answer.IsCompleted)).ConfigureAwait(false);
            return results.Length == 0
                ? new ConnectResult(3, "no member of the group that delivers has answered")
                : results.FirstOrDefault(static result => result.Code is not (0 or 6), results[0]);
        }
        finally
        {
            lock (_gate)
            {
                foreach (var id in asked) _waiting.Remove(id);
            }
        }
    }

    /// <summary>Answers, as the holder.</summary>
    public void Give(MessageId asked) => background.Run("answering a member of the group", GiveAsync(asked));

    public void Take(GroupMessage.Answer answer)
    {
        lock (_gate)
        {
            if (_waiting.TryGetValue(answer.Asked, out var waiting))
            {
                waiting.TrySetResult(new ConnectResult(answer.Code, answer.Reason));
                return;
            }

            _early.Enqueue(answer);
            if (_early.Count > MostEarly) _early.Dequeue();
        }
    }

    private Task<ConnectResult> AnswerTo(MessageId asked)
    {
        lock (_gate)
        {
            var waiting = _waiting[asked] = new TaskCompletionSource<ConnectResult>(TaskCreationOptions.RunContinuationsAsynchronously);
            if (_early.FirstOrDefault(one => one.Asked == asked) is { } answer)
            {
                waiting.SetResult(new ConnectResult(answer.Code, answer.Reason));
            }

            return waiting.Task;
        }
    }

    private async Task GiveAsync(MessageId asked)
    {
        var result = await connect().WaitAsync(Deadline, time).ConfigureAwait(false);
        voice.Say((member, number) => new GroupMessage.Answer(member, number, asked, result.Code, result.Reason));
    }
}
