Console.Error.WriteLine("cmvc-evaluate: nothing here yet");
return 2;
